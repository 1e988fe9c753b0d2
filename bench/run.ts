import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { format, resolveConfig } from 'prettier';

import { build, pack } from '../testkit/artifacts';
import { benchOwnWork } from './ownWork';
import { benchPublishedStart } from './publishedStart';
import { benchRealN8n } from './realN8n';
import { benchRegistration } from './registration';
import {
	ownWorkReport,
	publishedReport,
	realN8nReport,
	registrationReport,
	startReport,
} from './reports';
import { resultsDocument } from './resultsDocument';
import { benchStart } from './start';
import { withHost, type Host } from './support/underHost';

/** What a section may use. */
interface Bench extends Host {
	readonly tarball: string;
	readonly quick: boolean;
}

/** The sections by their names; each gives its report as Markdown. */
const SECTIONS: Readonly<Record<string, (bench: Bench) => Promise<string>>> = {
	'real-n8n': async ({ tarball, quick }) =>
		realN8nReport(
			await benchRealN8n(
				quick
					? { tarball, rounds: 1, amount: { vm: 20, lazy: 50, legacy: 50 } }
					: { tarball, rounds: 5, amount: { vm: 100, lazy: 200, legacy: 200 } },
			),
		),
	start: async ({ tarball, quick }) => startReport(await benchStart(tarball, quick ? 1 : 4)),
	published: async ({ tarball, quick }) => {
		const [workflows, rounds] = quick ? [10, 1] : [100, 3];
		const results = await benchPublishedStart({ tarball, workflows, rounds });
		return publishedReport(results, workflows);
	},
	registration: async () => registrationReport(await benchRegistration()),
	'own-work': async ({ place, quick }) => ownWorkReport(await benchOwnWork(place, quick ? 2 : 10)),
};

/**
 * Runs the named sections, or all of them.
 *
 * @param quick - a smoke run: few rounds, and nothing is written
 * @throws Error for an unknown section, or when something did not do what it is measured for
 */
export async function runBench(names: readonly string[], quick: boolean): Promise<void> {
	const known = Object.keys(SECTIONS);
	const unknown = names.filter((name) => !known.includes(name));
	if (unknown.length > 0) {
		throw new Error(`No such section: ${unknown.join(', ')}. Sections: ${known.join(', ')}`);
	}
	const folder = await mkdtemp(join(tmpdir(), 'bench-'));
	try {
		await build();
		const tarball = await pack(folder);
		await withHost(tarball, async (host) => {
			const done: Record<string, string> = {};
			for (const [name, run] of Object.entries(SECTIONS)) {
				if (names.length > 0 && !names.includes(name)) continue;
				const report = await run({ ...host, tarball, quick });
				console.log(`\n== ${name}\n\n${report}`);
				done[name] = report;
			}
			if (names.length === 0 && !quick) {
				await writeResults(resultsDocument(host, done));
			}
		});
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

async function writeResults(text: string): Promise<void> {
	const file = join('bench', 'RESULTS.md');
	await writeFile(file, await format(text, { ...(await resolveConfig(file)), filepath: file }));
}
