import { startSandbox } from '../sandbox';
import { startN8n, type N8nHost } from '../testkit/n8n-host/driver';
import { locateN8n } from '../testkit/n8n-host/locate';
import { until } from '../testkit/n8n-host/poll';
import { ORIGIN } from '../testkit/publishTrigger';
import { Database, type Stored } from './support/database';
import { startGithubStandIn } from './support/githubStandIn';
import { shuffled } from './support/interleave';
import { burst, type Burst } from './support/load';
import { residentMegabytes } from './support/memory';
import {
	publishSubject,
	SUBJECTS,
	type Providers,
	type Subject,
	type SubjectName,
} from './support/subjects';

export const ENGINES = ['vm', 'legacy'] as const;
export type Engine = (typeof ENGINES)[number];
const KINDS = ['valid', 'forged'] as const;
export type Kind = (typeof KINDS)[number];

/** What one burst came to. */
export interface Sample extends Omit<Burst, 'answeredMs'> {
	/** Until the last run had finished, not only until the last answer. */
	readonly perSecond: number;
	/** Executions stored, and growth of the database in bytes, per delivery. */
	readonly stored: number;
	readonly growth: number;
	/** Resident memory of n8n afterwards, in MB. */
	readonly rss: number;
}

export interface LoadResult {
	readonly engine: Engine;
	readonly subject: SubjectName;
	readonly kind: Kind;
	readonly samples: Sample[];
}

export interface LoadOptions {
	readonly tarball: string;
	readonly rounds: number;
	/** Deliveries of one burst. */
	readonly amount: Record<Engine, number>;
}

const RUNS_MS = 120_000;

interface Station {
	readonly subject: Subject;
	readonly n8n: N8nHost;
	readonly database: Database;
}

/**
 * Loads our trigger, n8n's GitHub Trigger and the recipe in a real n8n: each in a process of its own,
 * so that memory and database are its own, in turns and in random order.
 */
export async function benchRealN8n(options: LoadOptions): Promise<LoadResult[]> {
	const results: LoadResult[] = [];
	for (const engine of ENGINES) results.push(...(await benchEngine(engine, options)));
	return results;
}

async function benchEngine(
	engine: Engine,
	{ tarball, rounds, amount }: LoadOptions,
): Promise<LoadResult[]> {
	const providers: Providers = {
		sandbox: await startSandbox(),
		github: await startGithubStandIn(),
	};
	const stations: Array<[SubjectName, Station]> = [];
	const results = SUBJECTS.flatMap((subject) =>
		KINDS.map((kind): LoadResult => ({ engine, subject, kind, samples: [] })),
	);
	try {
		for (const name of SUBJECTS) {
			const env = engine === 'vm' ? {} : { N8N_EXPRESSION_ENGINE: engine };
			stations.push([name, await startStation(name, tarball, env, providers)]);
		}
		for (let round = 0; round <= rounds; round++) {
			for (const result of shuffled(results)) {
				const station = stations.find(([name]) => name === result.subject)?.[1];
				if (station === undefined) throw new Error(`${result.subject} was not started`);
				const sample = await measure(station, result, amount[engine]);
				// The first round only warms up.
				if (round > 0) result.samples.push(sample);
			}
		}
	} finally {
		for (const [, { n8n, database }] of stations) {
			database.close();
			await n8n.stop();
		}
		await providers.github.close();
		await providers.sandbox.close();
	}
	return results;
}

async function startStation(
	name: SubjectName,
	tarball: string,
	env: Record<string, string>,
	providers: Providers,
): Promise<Station> {
	const n8n = await startN8n({ tarball, webhookUrl: ORIGIN, editor: true, env });
	try {
		const { nodeBinary } = await locateN8n();
		const subject = await publishSubject[name](n8n, providers);
		return { subject, n8n, database: new Database(nodeBinary, n8n.userFolder) };
	} catch (error) {
		await n8n.stop();
		throw error;
	}
}

async function measure(
	{ subject, n8n, database }: Station,
	{ subject: name, kind }: LoadResult,
	amount: number,
): Promise<Sample> {
	const before = await database.read();
	const startedMs = Date.now();
	const { p50, p99, answeredMs } = await burst(
		subject.url,
		amount,
		kind === 'valid' ? 200 : 401,
		() => subject[kind](),
	);
	const runs = kind === 'valid' || name === 'recipe' ? amount : 0;
	const after = await finished(database, before.finished + runs);
	const endMs = runs === 0 ? answeredMs : Math.max(answeredMs, after.lastEndMs);
	const seconds = (endMs - startedMs) / 1000;
	return {
		p50,
		p99,
		perSecond: amount / seconds,
		stored: (after.stored - before.stored) / amount,
		growth: (after.bytes - before.bytes) / amount,
		rss: await residentMegabytes(n8n.pid),
	};
}

async function finished(database: Database, count: number): Promise<Stored> {
	return await until(`${count} runs to finish`, RUNS_MS, async () => {
		const stored = await database.read();
		return stored.finished >= count ? stored : undefined;
	});
}
