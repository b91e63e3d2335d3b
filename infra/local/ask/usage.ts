export const help = `Usage: npm run ask -- QUESTION KEY|PREFIX...

Asks Claude one question about several documents that Dropline has on this machine, and prints the answer
with footnotes: the quote, the document, and its page or characters. Nothing is stored: asking again is
paid again. Works while \`npm start\` runs on the same data, and without it.

KEY is the key of a document. What is no key is a prefix: all documents below it that are ready; "" stands
for all. Data files for code execution are left out. Images are shown to Claude; it cannot cite them.

  --data DIR          where everything is kept (default .dropline)
  --model NAME        the model that answers (default: the one that summarises)
  --effort LEVEL      low, medium, high, xhigh or max (default: the lowest that the model takes)
  --max-tokens N      most tokens of the answer, thinking included (default 4096)
  --max-usd N         ask before it may cost more than this (default 0.10)
  --yes               do not ask; with --max-usd: never more than that
  --config FILE       prices of models, as for npm start (default: the file that npm start used)
  --json              print one JSON object instead
  --claude-url URL    use a Claude emulator that is already running
  --live              use the real Claude API; needs ANTHROPIC_API_KEY and costs money
  --help              show this text

Exit code: 0 answered, 1 no answer (nothing to ask about, Claude refused or failed), 2 wrong usage,
3 not asked because of its cost, 4 the answer is cut off, 130 stopped.
`;
