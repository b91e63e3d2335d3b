import { Annotations } from 'aws-cdk-lib';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { unknownModels } from '../shared/config/asks.ts';
import { Alarms } from './alarms.ts';
import { deployedConfig } from './config.ts';
import { notifyOfChanges } from './notification.ts';
import { createOutputs } from './outputs.ts';
import { permissionsOf } from './permissions.ts';
import { createQueues } from './queue.ts';
import { createReconciler, reconcileEveryOf } from './schedule.ts';
import type { DroplineProps } from './settings.ts';
import { createStorage } from './storage.ts';
import { createWorkers } from './workers.ts';

/**
 * The whole pipeline as one construct, in the order a document travels: inbox → intake queue →
 * normalize → (render →) upload → summarize, around the ledger; reconcile runs on a schedule.
 *
 * The parts are functions, not constructs, and create everything directly below this one: a logical id
 * derives from the path of its construct, and a table whose id changes is deployed as a new, empty table
 * (test/infra/logical-ids.test.ts).
 */
export class Dropline extends Construct {
  readonly inbox: s3.Bucket;
  readonly table: dynamodb.Table;

  constructor(scope: Construct, id: string, props: DroplineProps = {}) {
    super(scope, id);
    const config = deployedConfig(props);
    for (const warning of unknownModels(config)) {
      Annotations.of(this).addWarningV2('dropline:unknown-model', warning);
    }
    const queues = createQueues(this);
    const storage = createStorage(this, props);
    notifyOfChanges(storage.inbox, queues.intake.queue);

    const may = permissionsOf(storage, queues, props, config);
    const workers = createWorkers(this, queues, may, props);
    const reconcile = createReconciler(this, may, props);

    new Alarms(this, 'Alarms', {
      queues: Object.values(queues),
      workers,
      reconcile,
      reconcileEvery: reconcileEveryOf(props),
      email: props.alarmEmail,
    });
    createOutputs(this, storage, queues, reconcile);

    this.inbox = storage.inbox;
    this.table = storage.table;
  }
}
