import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { RejectDocument } from '../journey/errors.ts';
import { lostReasons, type Prepared, prepareDocx, withStoredFields } from '../word/to-pdf/index.ts';
import { findAssets } from './assets.ts';
import { unavailable } from './find-browser.ts';
import { bundledTypefaces, writeFontConfig } from './fonts.ts';
import { killGroup } from './process-group.ts';
import { proven, timeout } from './proof.ts';
import { stripMetadataOf } from './strip-metadata.ts';
import type { Rendered, RenderInput } from './types.ts';

const places = [
  '/usr/bin/soffice',
  '/usr/bin/libreoffice',
  '/usr/local/bin/soffice',
  '/opt/libreoffice/program/soffice',
  '/Applications/LibreOffice.app/Contents/MacOS/soffice',
  'C:\\Program Files\\LibreOffice\\program\\soffice.exe',
];

/**
 * Settings of the profile: macros are off, and no external link is followed or updated. A proxy that
 * does not exist stops anything that would be loaded anyway.
 */
const profileSettings: [path: string, name: string, value: string | number | boolean][] = [
  ['/org.openoffice.Office.Common/Security/Scripting', 'MacroSecurityLevel', 3],
  ['/org.openoffice.Office.Common/Security/Scripting', 'DisableMacrosExecution', true],
  ['/org.openoffice.Office.Common/Security/Scripting', 'DisableActiveContent', true],
  ['/org.openoffice.Office.Common/Security/Scripting', 'BlockUntrustedRefererLinks', true],
  ['/org.openoffice.Office.Writer/Content/Update', 'Link', 0],
  ['/org.openoffice.Inet/Settings', 'ooInetProxyType', 2],
  ['/org.openoffice.Inet/Settings', 'ooInetHTTPProxyName', '127.0.0.1'],
  ['/org.openoffice.Inet/Settings', 'ooInetHTTPProxyPort', 9],
  ['/org.openoffice.Inet/Settings', 'ooInetHTTPSProxyName', '127.0.0.1'],
  ['/org.openoffice.Inet/Settings', 'ooInetHTTPSProxyPort', 9],
  ['/org.openoffice.Setup/Office', 'ooSetupInstCompleted', true],
  // Not the machine's: numbers, dates and the choice of fonts follow it.
  ['/org.openoffice.Setup/L10N', 'ooLocale', 'en-US'],
  ['/org.openoffice.Setup/L10N', 'ooSetupSystemLocale', 'en-US'],
];

/**
 * Prints a docx with LibreOffice, which draws EMF, charts and shapes that a browser cannot. Each
 * document has a process and a profile of its own.
 * @param tempDir for the profile
 * @throws RejectDocument with a code of `render.*`
 */
export async function printWithLibreOffice(input: RenderInput, tempDir: string): Promise<Rendered> {
  const soffice = input.sofficePath ?? places.find((place) => existsSync(place));
  if (soffice === undefined || !existsSync(soffice)) {
    throw unavailable(
      soffice === undefined
        ? 'LibreOffice is not installed.'
        : `The soffice in the settings does not exist: ${soffice}.`,
    );
  }
  const workDir = await mkdtemp(path.join(tempDir, 'dropline-office-'));
  try {
    await writeProfile(path.join(workDir, 'profile', 'user'));
    const source = path.join(workDir, 'document.docx');
    const { prepared, docx } = await readDocx(input.path);
    if (docx) await writeFile(source, docx);
    else await copyFile(input.path, source);
    await run(soffice, workDir, source, input);
    const made = path.join(workDir, 'document.pdf');
    if (!existsSync(made)) {
      throw new RejectDocument({
        code: 'render.unreadable',
        message: 'LibreOffice could not read the document.',
      });
    }
    const pdf = path.join(input.outDir, 'rendered.pdf');
    await copyFile(made, pdf);
    await stripMetadataOf(pdf, prepared.title);
    return await check(prepared, pdf);
  } finally {
    await rm(workDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function writeProfile(userDir: string): Promise<void> {
  await mkdir(userDir, { recursive: true });
  const items = profileSettings.map(
    ([at, name, value]) =>
      `<item oor:path="${at}"><prop oor:name="${name}" oor:op="fuse"><value>${value}</value></prop></item>`,
  );
  await writeFile(
    path.join(userDir, 'registrymodifications.xcu'),
    `<?xml version="1.0" encoding="UTF-8"?><oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">${items.join('')}</oor:items>`,
  );
}

const filter =
  'pdf:writer_pdf_Export:{"UseTaggedPDF":{"type":"boolean","value":"true"},"ExportBookmarks":{"type":"boolean","value":"true"}}';

/** Runs one conversion; the launcher and what it starts form one process group. */
async function run(
  soffice: string,
  workDir: string,
  source: string,
  { timeoutMs, fontsDir }: RenderInput,
): Promise<void> {
  const { fontDirs, cjkFontDirs } = findAssets(fontsDir);
  const fontConfig = await writeFontConfig([...fontDirs, ...cjkFontDirs], workDir);
  const profile = pathToFileURL(path.join(workDir, 'profile')).href;
  const child = spawn(
    soffice,
    [
      `-env:UserInstallation=${profile}`,
      '--headless',
      '--nologo',
      '--norestore',
      '--nolockcheck',
      '--convert-to',
      filter,
      '--outdir',
      workDir,
      source,
    ],
    {
      cwd: workDir,
      detached: process.platform !== 'win32',
      stdio: 'ignore',
      env: {
        HOME: workDir,
        TMPDIR: workDir,
        PATH: '/usr/local/bin:/usr/bin:/bin',
        // Times in the document, such as those of its comments, are shown in this zone.
        TZ: 'UTC',
        FONTCONFIG_FILE: fontConfig,
      },
    },
  );
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child.pid);
  }, timeoutMs);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (timedOut) throw timeout(timeoutMs);
    if (code !== 0) throw new Error(`soffice exited with ${code ?? 'a signal'}`);
  } catch (cause) {
    if (cause instanceof RejectDocument) throw cause;
    throw new RejectDocument({
      code: 'render.crashed',
      message: 'LibreOffice exited unexpectedly.',
      cause,
    });
  } finally {
    clearTimeout(timer);
    killGroup(child.pid);
  }
}

/** What the document says, and the docx for LibreOffice when that is not the document as it is. */
async function readDocx(
  file: string,
): Promise<{ prepared: Prepared; docx: Uint8Array | undefined }> {
  try {
    return {
      prepared: await prepareDocx(file, bundledTypefaces),
      docx: await withStoredFields(file),
    };
  } catch (cause) {
    throw new RejectDocument({
      code: 'render.unreadable',
      message: 'The document could not be read.',
      cause,
    });
  }
}

/** The same check as for the browser; the counts come from our own reading of the docx. */
async function check({ facts, paragraphs }: Prepared, pdf: string): Promise<Rendered> {
  const pages = await proven(paragraphs, pdf);
  const linked = facts.lostBecause.get(lostReasons.linked) ?? 0;
  const missing = facts.lostBecause.get(lostReasons.missing) ?? 0;
  return {
    path: pdf,
    mimeType: 'application/pdf',
    pages,
    imagesFound: facts.imagesFound,
    imagesKept: facts.imagesFound - linked - missing,
    warnings: [],
  };
}
