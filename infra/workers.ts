import { fileURLToPath } from 'node:url';
import { Duration } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { type QueuedStep, steps } from '../shared/journey/steps.ts';
import { renderAssets } from '../shared/print/assets.ts';
import { configAsset } from './config.ts';
import { StepFunction, type StepFunctionProps } from './function.ts';
import { converterMemoryMb } from './limits.ts';
import { capitalized } from './names.ts';
import type { Permissions } from './permissions.ts';
import type { StepQueues } from './queue.ts';
import type { DroplineProps } from './settings.ts';

/** What a step's function has beyond what the table of steps says. */
type Particulars = Pick<
  StepFunctionProps,
  'memoryMb' | 'storageMb' | 'architecture' | 'bundle' | 'image' | 'grants'
>;

/** Creates the function of every step, in the order of the journey. */
export function createWorkers(
  scope: Construct,
  queues: StepQueues,
  may: Permissions,
  props: DroplineProps,
): StepFunction[] {
  const worker = (step: QueuedStep, particulars: Particulars): StepFunction => {
    const { queue, timeoutSeconds, batchSize, concurrency } = steps[step];
    return new StepFunction(scope, `${capitalized(step)}Function`, {
      name: step,
      timeout: Duration.seconds(timeoutSeconds),
      queue: queues[queue].queue,
      batchSize,
      concurrency: props.concurrency?.[step] ?? concurrency,
      codeOf: props.codeOf,
      ...particulars,
    });
  };
  return [
    worker('normalize', normalize(may, props)),
    worker('render', render(may, props)),
    worker('upload', upload(may, props)),
    worker('summarize', summarize(may, props)),
  ];
}

function normalize(may: Permissions, props: DroplineProps): Particulars {
  return {
    // sharp is native code, so the function has the architecture of the machine that installed it.
    architecture:
      process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
    bundle: {
      also: { worker: 'shared/convert/worker.ts' },
      packages: ['sharp'],
      assets: configAsset(props),
    },
    memoryMb: converterMemoryMb,
    storageMb: 4096,
    grants: [...may.of('normalize'), may.profiles, may.limits],
  };
}

function render(may: Permissions, { renderer }: DroplineProps): Particulars {
  const isLibreOffice = renderer === 'libreoffice';
  return {
    // The packaged browser is built for x64.
    architecture: lambda.Architecture.X86_64,
    image: isLibreOffice,
    bundle: {
      // sharp reads TIFF and very large pictures.
      packages: ['sharp'],
      assets: isLibreOffice ? [dockerfile] : renderAssets(),
    },
    memoryMb: converterMemoryMb,
    storageMb: 2048,
    grants: [...may.of('render'), may.renderer, may.limits],
  };
}

function upload(may: Permissions, props: DroplineProps): Particulars {
  return {
    bundle: { assets: configAsset(props) },
    memoryMb: 512,
    grants: [...may.of('upload'), may.profiles],
  };
}

function summarize(may: Permissions, props: DroplineProps): Particulars {
  return {
    bundle: { assets: configAsset(props) },
    memoryMb: 512,
    grants: [...may.of('summarize'), may.profiles],
  };
}

/** Makes the render function's bundle a container image. */
const dockerfile = {
  from: fileURLToPath(new URL('../functions/render/Dockerfile', import.meta.url)),
  to: 'Dockerfile',
};
