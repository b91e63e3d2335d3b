/** Wrong use of the command line: a reason in one line, exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}

export const help = `Usage: npm start                           watch ./inbox until Ctrl-C
       npm start -- --once [--json] PATH...   drop files and folders, wait for all to end

Runs Dropline on this machine: the same stack and functions as on AWS, behind local
servers. Claude is an emulator, whose summaries are extracts, unless --live is given.

  --once              drop the paths given, wait until all have ended, print a table
  --json              with --once: print one document record a line instead
  --data DIR          where everything is kept (default .dropline)
  --inbox DIR         the folder to watch (default inbox)
  --dialect ga|beta   which shape of Claude's Files API to speak (default ga)
  --claude-url URL    a Claude emulator that runs already
  --live              the real Claude API; needs ANTHROPIC_API_KEY and costs money
  --model NAME        the model that summarises (default claude-haiku-5-5)
  --files-per-minute N  pace of file operations; without it 500 (beta 100), or none with the
                      emulator that this command starts
  --concurrency N     invocations of one function at once (default: the number of cores)
  --port N            port of S3, SQS and Lambda (default 4566; DynamoDB one above)
  --limits JSON       what a conversion may take, such as '{"maxRows": 1000}'; docs/formats.md has all
  --invoke NAME       run one function once, such as reconcile, and print its answer
  --payload JSON      with --invoke: what the function is asked for (default {})
  --help              this text

Exit code: 0 when all documents ended ready or skipped, 1 when any did not, 2 on wrong use.
`;
