import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

import { startSandbox, type Sandbox } from '../sandbox';
import { startN8n, type N8nHost } from '../testkit/n8n-host/driver';
import { accountOf, ORIGIN, publishTrigger } from '../testkit/publishTrigger';
import { misarMail } from '../testkit/triggers';
import { residentMegabytes } from './support/memory';
import { processorTime } from './support/processorTime';
import { shuffled } from './support/shuffled';
import { publishBare, publishSchedule } from './support/subjects';

/** Publishes one workflow. */
type Publish = (n8n: N8nHost, sandbox: Sandbox) => Promise<unknown>;

/** Workflows that are published many times, by the name of the folder in which an n8n holds them. */
const WORKFLOWS = {
	schedule: publishSchedule,
	webhook: async (n8n) => await publishBare(n8n),
	ours: async (n8n, sandbox) => {
		const account = accountOf(misarMail, 'automatic', sandbox);
		return await publishTrigger({ n8n, sandbox }, misarMail, 'automatic', account);
	},
} satisfies Record<string, Publish>;

/** What is started, and how long the provider takes for an answer, in milliseconds. */
const POPULATIONS = [
	{ name: 'Schedule Triggers', folder: 'schedule', answerMs: 0 },
	{ name: 'Webhook nodes', folder: 'webhook', answerMs: 0 },
	{ name: 'our triggers', folder: 'ours', answerMs: 0 },
	{ name: 'our triggers, a provider that takes 300 ms', folder: 'ours', answerMs: 300 },
] as const;
export type Population = (typeof POPULATIONS)[number]['name'];

/** Whether n8n publishes in the background, as it does by default from 2.41 on, or before it is ready. */
const PUBLICATIONS = ['with', 'without'] as const;
export type Publication = (typeof PUBLICATIONS)[number];

/** One start of n8n, and the minute after it. */
export interface PublishedStart {
	/** Until it is ready and the owner has signed in. */
	readonly milliseconds: number;
	/** Milliseconds of processor time that n8n took until then, and in the minute after. */
	readonly processor: number;
	readonly processorAfter: number;
	/** Resident, at the end of that minute. */
	readonly megabytes: number;
	/** Calls to the provider until n8n was ready, in the minute after, and the most of them within a second. */
	readonly callsBefore: number;
	readonly callsAfter: number;
	readonly mostInASecond: number;
}

export interface PublishedStarts {
	readonly population: Population;
	readonly publication: Publication;
	readonly starts: PublishedStart[];
}

export interface PublishedOptions {
	readonly tarball: string;
	/** How many workflows are published. */
	readonly workflows: number;
	readonly rounds: number;
}

const MINUTE_MS = 60_000;
/** Workflows that are published at the same time. */
const AT_A_TIME = 5;

/** Starts n8n with many published workflows of one kind; all take turns in random order. */
export async function benchPublishedStart({
	tarball,
	workflows,
	rounds,
}: PublishedOptions): Promise<PublishedStarts[]> {
	const root = await mkdtemp(join(tmpdir(), 'bench-published-'));
	const sandbox = await startSandbox();
	try {
		for (const [folder, publish] of Object.entries(WORKFLOWS)) {
			const userFolder = join(root, folder);
			const n8n = await startN8n({ userFolder, tarball, editor: true, webhookUrl: ORIGIN });
			try {
				for (let published = 0; published < workflows; published += AT_A_TIME) {
					const length = Math.min(AT_A_TIME, workflows - published);
					await Promise.all(Array.from({ length }, async () => await publish(n8n, sandbox)));
				}
			} finally {
				await n8n.stop();
			}
		}
		const stations = PUBLICATIONS.flatMap((publication) =>
			POPULATIONS.map(({ name: population, folder, answerMs }) => {
				const result: PublishedStarts = { population, publication, starts: [] };
				return { result, userFolder: join(root, folder), answerMs };
			}),
		);
		for (let round = 0; round < rounds; round++) {
			for (const { result, userFolder, answerMs } of shuffled(stations)) {
				sandbox.clearFaults();
				sandbox.fault({ kind: 'delay', delayMs: answerMs, times: Number.POSITIVE_INFINITY });
				result.starts.push(await measureStart(userFolder, result.publication, sandbox));
			}
		}
		return stations.map(({ result }) => result);
	} finally {
		await sandbox.close();
		await rm(root, { recursive: true, force: true });
	}
}

async function measureStart(
	userFolder: string,
	publication: Publication,
	sandbox: Sandbox,
): Promise<PublishedStart> {
	const { length: earlier } = sandbox.requests();
	const started = performance.now();
	const n8n = await startN8n({
		userFolder,
		editor: true,
		webhookUrl: ORIGIN,
		publicationService: publication === 'with',
	});
	const milliseconds = performance.now() - started;
	try {
		return { milliseconds, ...(await minuteAfter(n8n, sandbox, earlier)) };
	} finally {
		await n8n.stop();
	}
}

/** @param earlier - calls to the provider before this start */
async function minuteAfter(
	{ pid }: N8nHost,
	sandbox: Sandbox,
	earlier: number,
): Promise<Omit<PublishedStart, 'milliseconds'>> {
	const ready = Date.now();
	const { allThreads: processor } = await processorTime(pid);
	await setTimeout(MINUTE_MS);
	const { allThreads } = await processorTime(pid);
	const times = sandbox
		.requests()
		.slice(earlier)
		.map(({ at }) => at);
	const callsAfter = times.filter((at) => at >= ready).length;
	return {
		processor,
		processorAfter: allThreads - processor,
		megabytes: await residentMegabytes(pid),
		callsBefore: times.length - callsAfter,
		callsAfter,
		mostInASecond: mostInASecond(times),
	};
}

function mostInASecond(times: readonly number[]): number {
	const within = times.map((from) => times.filter((at) => at >= from && at < from + 1_000).length);
	return Math.max(0, ...within);
}
