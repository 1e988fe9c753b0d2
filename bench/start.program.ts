/** Run under the pinned n8n's Node by `start.ts`: what it costs to load every file of the package. */
import { triggerCases } from '../testkit/triggers';
import { startInput } from './start';
import { loadHostModules } from './support/hostModules';

const { place, nodeFiles } = startInput.parse(JSON.parse(process.argv[2] ?? ''));
const host = loadHostModules(place);
const credentialFiles = new Set(triggerCases.map(({ credentialFile }) => credentialFile));

globalThis.gc?.();
const before = process.memoryUsage.rss();
const started = performance.now();
for (const file of nodeFiles) host.ownNode(file);
for (const file of credentialFiles) host.ownCredential(file);
const milliseconds = performance.now() - started;
globalThis.gc?.();

process.send?.({ milliseconds, megabytes: (process.memoryUsage.rss() - before) / 1024 ** 2 });
process.disconnect?.();
