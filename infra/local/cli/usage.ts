/** Wrong usage of the command line: one line that says why, and exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}

export const help = `Usage: npm start                              watch ./inbox until Ctrl-C
       npm start -- --once [--json] PATH...   drop files and folders, wait until all have ended
       npm start -- --costs [--by GROUP]      what paid calls have cost
       npm start -- --invoke NAME             run one function once
       npm start -- --check-config FILE       check a configuration, say what its profiles ask

Runs Dropline on this machine: the same stack and functions as on AWS, with local servers in place
of the AWS services. Claude is an emulator, whose summaries are extracts, unless --live is given.

  --once              drop the given paths, wait until all have ended, print a table
  --json              with --once: print one document record per line instead; with --costs: one sum
  --costs             print what paid calls have cost, from --data, also while it is in use
  --by GROUP          with --costs: day, profile, prefix or model (default day)
  --from DAY, --to DAY  with --costs: UTC days such as 2026-11-30 (default: this month until today)
  --data DIR          where everything is kept (default .dropline)
  --inbox DIR         the folder to watch (default inbox)
  --dialect ga|beta   which form of Claude's Files API to use (default ga)
  --claude-url URL    use a Claude emulator that is already running
  --live              use the real Claude API; needs ANTHROPIC_API_KEY and costs money
  --config FILE       profiles, prices and limits, such as dropline.config.json; docs/profiles.md explains it
  --check-config FILE  check such a file, print what each profile asks and how often it reads a document
  --model NAME        the model that summarises (default claude-haiku-5-5)
  --files-per-minute N  limit for file operations (default 500, beta 100; none with the emulator
                      that this command starts)
  --concurrency N     maximum of concurrent invocations per function (default: number of cores)
  --port N            port of S3, SQS and Lambda (default 4566; DynamoDB is one above)
  --limits JSON       limits of a conversion, such as '{"maxRows": 1000}'; docs/formats.md lists all
  --invoke NAME       run one function once, such as reconcile, and print its answer
  --payload JSON      with --invoke: the event that the function gets (default {})
  --help              show this text

Exit code: 0 when all documents ended ready or skipped, 1 when any did not, 2 for wrong usage.
`;
