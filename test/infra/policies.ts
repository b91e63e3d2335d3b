import { physicalNames } from '../../infra/local/template/names.ts';
import { template as templateShape } from '../../infra/local/template/shapes.ts';

interface Statement {
  Effect: string;
  Action: string | string[];
  Resource: unknown;
  Condition?: { 'ForAllValues:StringLike'?: { 'dynamodb:LeadingKeys': string[] } };
}

/**
 * What each function of a template may do, by function name, in the words of `infra/local/calls.ts`; `*` at the end
 * stands for anything. Writing to its own log is left out.
 */
export function grantsIn(template: unknown): Record<string, string[]> {
  const { Resources } = templateShape.parse(template);
  const names = physicalNames(Resources);
  const functionOfRole = new Map<string, string>();
  for (const [id, { Type, Properties }] of Object.entries(Resources)) {
    if (Type !== 'AWS::Lambda::Function') continue;
    functionOfRole.set(nameOf(Properties.Role, names), names.get(id) ?? id);
  }
  const grants: Record<string, string[]> = {};
  for (const { Type, Properties } of Object.values(Resources)) {
    if (Type !== 'AWS::IAM::Policy') continue;
    const { Roles, PolicyDocument } = Properties as {
      Roles: unknown[];
      PolicyDocument: { Statement: Statement[] };
    };
    for (const role of Roles) {
      const owner = functionOfRole.get(nameOf(role, names));
      if (owner === undefined) throw new Error('a policy of no function');
      const own = PolicyDocument.Statement.flatMap((statement) => callsOf(statement, names));
      grants[owner] = [...(grants[owner] ?? []), ...own].sort();
    }
  }
  return grants;
}

function callsOf({ Action, Resource, Condition }: Statement, names: Map<string, string>): string[] {
  const keys = Condition?.['ForAllValues:StringLike']?.['dynamodb:LeadingKeys'];
  return [Action].flat().flatMap((action) =>
    [Resource].flat().flatMap((resource) => {
      if (action.startsWith('logs:')) return [];
      const name = nameOf(resource, names);
      return (keys ?? []).length > 0
        ? (keys ?? []).map((key) => `${action} ${name}/${key}`)
        : [`${action} ${name}`];
    }),
  );
}

/** A resource by the name that it has on the local host. */
function nameOf(value: unknown, names: Map<string, string>): string {
  if (typeof value === 'string') return value;
  const reference = value as {
    Ref?: string;
    'Fn::GetAtt'?: [string, string];
    'Fn::Join'?: [string, unknown[]];
  };
  if (reference['Fn::Join']) {
    const [separator, parts] = reference['Fn::Join'];
    return parts.map((part) => nameOf(part, names)).join(separator);
  }
  const id = reference.Ref ?? reference['Fn::GetAtt']?.[0] ?? '';
  return names.get(id) ?? id;
}

/** Whether a grant allows a call. */
export function allows(grant: string, call: string): boolean {
  return grant.endsWith('*') ? call.startsWith(grant.slice(0, -1)) : call === grant;
}
