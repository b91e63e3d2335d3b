import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { consentTo, usd } from '../../infra/local/ask/cost.ts';
import { renderAnswer, renderLeftOut, renderPlan } from '../../infra/local/ask/render.ts';
import { selectDocuments } from '../../infra/local/ask/select.ts';
import { visible, visibleJson, visibleLine } from '../../infra/local/ask/visible.ts';
import type { QuestionReply } from '../../shared/questions/answer.ts';
import { askQuestion } from '../../shared/questions/ask.ts';
import { planQuestion } from '../../shared/questions/plan.ts';
import { image, now, pdf, ready, replyOf, StubClaude } from '../questions/support.ts';

describe('text on a terminal', () => {
  const hostile = 'a\u001b]0;x\u0007\u009b2J\r\nb\tc\rd\u202e\u2028\u200d\u{e0041}\ud800';

  it('has what is treacherous written out', () => {
    expect(visible(hostile)).toBe(
      'a\\u001b]0;x\\u0007\\u009b2J\nb\tc\\u000dd\\u202e\\u2028\u200d\\u{e0041}\\ud800',
    );
    expect(visibleLine('a\nb\tc')).toBe('a\\u000ab\\u0009c');
  });

  it('as JSON reads back as it was, whatever it is', () => {
    expect(visibleJson(hostile)).not.toMatch(/[[\p{Cc}\p{Cf}\p{Zl}]--\u200d]/v);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(JSON.parse(visibleJson({ [text]: text }))).toEqual({ [text]: text });
      }),
    );
  });
});

describe('an answer on a terminal', () => {
  async function shown(reply: QuestionReply, isStandIn = false) {
    const claude = new StubClaude();
    claude.reply = reply;
    const documents = [pdf('a\u001b[2J\n.pdf', 20), ready('b.txt'), image('c.png')];
    const options = { documents, question: 'Who?', model: 'claude-haiku-5-5', claude, now };
    const plan = await planQuestion(options);
    return { plan, text: renderAnswer(await askQuestion(plan, claude), plan, isStandIn) };
  }
  const page = (end_page_number: number, cited_text: string) => ({
    ...{ type: 'page_location', document_index: 0, cited_text },
    ...{ start_page_number: 3, end_page_number },
  });

  it('has its footnotes with quote, key and place, and nothing that moves the cursor', async () => {
    const content = [
      { type: 'text', text: 'It is\u001b[1A ' },
      {
        type: 'text',
        text: 'Ann',
        citations: [page(4, 'by Ann\u009b\n of  York'), page(6, 'Ann')],
      },
      { type: 'text', text: '.' },
    ];

    const { text } = await shown(replyOf(content));

    expect(text).toBe(
      [
        'It is\\u001b[1A Ann[1][2].',
        '',
        '[1] "by Ann\\u009b of York"',
        '    a\\u001b[2J\\u000a.pdf, page 3',
        '[2] "Ann"',
        '    a\\u001b[2J\\u000a.pdf, pages 3–5',
        '',
        'Note: images have no citations: what is said about one has no quote to check.',
        '1,000 tokens in, 100 out · $0.00015 · claude-haiku-5-5',
        '',
      ].join('\n'),
    );
  });

  it('cuts long quotes, and counts lost citations', async () => {
    const { text } = await shown(
      replyOf([
        { type: 'text', text: 'A.', citations: [page(4, '🏠'.repeat(400)), { type: 'odd' }] },
      ]),
      true,
    );

    expect(text).toContain(`"${'🏠'.repeat(300)}…"`);
    expect(text).toContain('Note: 1 citations point to no document');
    expect(text).toContain('(the stand-in for Claude bills nothing)');
  });

  it.each([
    ['max_tokens', 'the answer is cut off at 4,096 tokens, thinking included; see --max-tokens.'],
    ['model_context_window_exceeded', 'not complete (model_context_window_exceeded).'],
    ['refusal', 'Claude declined to answer.'],
  ])('says what %s means', async (stop_reason, note) => {
    const { text } = await shown(replyOf([], { stop_reason }));

    expect(text).toContain(note);
  });

  it('says that a cost is not known', async () => {
    const { text } = await shown(replyOf([], { model: 'my-model' }));
    const claude = new StubClaude();
    const documents = [ready('b.txt')];
    const plan = await planQuestion({ documents, question: 'Who?', model: 'mine', claude, now });

    expect(text).toContain('unknown cost');
    expect(renderPlan(plan)).toContain('cost unknown: the model has no known price');
  });

  it('names the first documents that are left out, and counts the others', () => {
    const leftOut = Array.from({ length: 7 }, (_, index) => ({
      documentId: `${index}`,
      key: `${index}.bin`,
      reason: 'container_upload' as const,
      message: 'm',
    }));

    const lines = renderLeftOut({ leftOut }).trim().split('\n');

    expect(lines).toHaveLength(6);
    expect(lines.at(-1)).toBe('left out: 2 more (--json lists all)');
  });
});

describe('what a question may cost', () => {
  const cost = (mostUsd: number | undefined) => ({ mostUsd, inputUsd: mostUsd });
  const unknown = cost(undefined);

  it.each([
    ['little', cost(0.1), {}, false, 'given'],
    ['more', cost(0.1001), {}, true, 'needed'],
    ['more, with nobody there', cost(0.1001), {}, false, 'refused'],
    ['more, with --yes', cost(50), { yes: true }, false, 'given'],
    ['less than --max-usd', cost(1), { maxUsd: 2 }, false, 'given'],
    ['more than --max-usd', cost(3), { maxUsd: 2 }, true, 'needed'],
    ['more than --max-usd, with --yes', cost(3), { yes: true, maxUsd: 2 }, true, 'refused'],
    ['nobody knows', unknown, {}, true, 'needed'],
    ['nobody knows, with nobody there', unknown, {}, false, 'refused'],
    ['nobody knows, with --yes', unknown, { yes: true }, false, 'given'],
    ['nobody knows, with --max-usd', unknown, { yes: true, maxUsd: 2 }, false, 'refused'],
  ])('%s', (_, estimate, flags, isTerminal, is) => {
    const consent = consentTo(estimate, { yes: false, maxUsd: undefined, ...flags }, isTerminal);

    expect(consent.is).toBe(is);
    if (consent.is === 'refused') expect(consent.because).toContain('--yes');
  });

  it.each([
    [0, '$0'],
    [0.0000551, '$0.000055'],
    [0.25, '$0.25'],
    [1234.5, '$1,234.50'],
    [undefined, 'unknown cost'],
  ])('%d is shown as %s', (amount, text) => {
    expect(usd(amount)).toBe(text);
  });
});

describe('which documents are meant', () => {
  async function select(...wanted: string[]) {
    async function* records() {
      yield ready('a/2.txt');
      yield ready('a/1.txt');
      yield ready('a');
      yield ready('a/gone.txt', { status: 'removed' });
      yield ready('b.zip!x/c.txt');
    }
    const { documents, named, missing } = await selectDocuments(records(), wanted);
    return { keys: documents.map(({ key }) => key), named: [...named], missing };
  }

  it.each([
    [['a'], ['a'], ['id of a'], []],
    [['a/'], ['a/1.txt', 'a/2.txt'], [], []],
    [['b.zip!', 'a/2'], ['b.zip!x/c.txt', 'a/2.txt'], [], []],
    [[''], ['a', 'a/1.txt', 'a/2.txt', 'b.zip!x/c.txt'], [], []],
    [['c', 'a/gone.txt'], ['a/gone.txt'], ['id of a/gone.txt'], ['c']],
  ])('%j', async (wanted, keys, named, missing) => {
    expect(await select(...wanted)).toEqual({ keys, named, missing });
  });
});
