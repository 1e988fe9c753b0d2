import { startSandbox } from '../sandbox';
import { startN8n, type N8nHost } from '../testkit/n8n-host/driver';
import { locateN8n } from '../testkit/n8n-host/locate';
import { until } from '../testkit/n8n-host/poll';
import { ORIGIN } from '../testkit/publishTrigger';
import { Database, type Stored } from './support/database';
import { startGithubStandIn } from './support/githubStandIn';
import { burst, type Burst } from './support/load';
import { shuffled } from './support/shuffled';
import {
	publishSubject,
	SUBJECTS,
	type Providers,
	type Subject,
	type SubjectName,
	type Traffic,
} from './support/subjects';

export const ENGINES = ['vm', 'legacy'] as const;
export type Engine = (typeof ENGINES)[number];
export const KINDS = ['valid', 'forged'] as const;
export type Kind = (typeof KINDS)[number];

/** What one burst came to. */
export interface Sample extends Omit<Burst, 'answeredMs'> {
	/** Until the last run had finished, not only until the last answer. */
	readonly perSecond: number;
	/** Growth of the database in bytes per delivery. */
	readonly growth: number;
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
	readonly name: SubjectName;
	readonly subject: Subject;
	readonly n8n: N8nHost;
	readonly database: Database;
}

/** Loads each subject in a real n8n of its own, in turns and in random order, with either engine. */
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
	const stations: Station[] = [];
	const env = engine === 'vm' ? {} : { N8N_EXPRESSION_ENGINE: engine };
	try {
		for (const name of SUBJECTS) stations.push(await startStation(name, tarball, env, providers));
		const loads = KINDS.flatMap((kind) =>
			stations.flatMap((station) => {
				const traffic = station.subject[kind];
				const result: LoadResult = { engine, subject: station.name, kind, samples: [] };
				return traffic === undefined ? [] : [{ station, traffic, result }];
			}),
		);
		for (let round = 0; round <= rounds; round++) {
			for (const { station, traffic, result } of shuffled(loads)) {
				const sample = await measure(station, traffic, amount[engine]);
				// The first round only warms up.
				if (round > 0) result.samples.push(sample);
			}
		}
		return loads.map(({ result }) => result);
	} finally {
		for (const { n8n, database } of stations) {
			database.close();
			await n8n.stop();
		}
		await providers.github.close();
		await providers.sandbox.close();
	}
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
		return { name, subject, n8n, database: new Database(nodeBinary, n8n.userFolder) };
	} catch (error) {
		await n8n.stop();
		throw error;
	}
}

async function measure(
	{ subject, database }: Station,
	{ make, status, runs }: Traffic,
	amount: number,
): Promise<Sample> {
	const before = await database.read();
	const startedMs = Date.now();
	const { p50, p99, answeredMs } = await burst(subject.url, amount, status, make);
	const after = await finished(database, before.finished + (runs ? amount : 0));
	const endMs = runs ? Math.max(answeredMs, after.lastEndMs) : answeredMs;
	return {
		p50,
		p99,
		perSecond: amount / ((endMs - startedMs) / 1000),
		growth: (after.bytes - before.bytes) / amount,
	};
}

async function finished(database: Database, count: number): Promise<Stored> {
	return await until(`${count} runs to finish`, RUNS_MS, async () => {
		const stored = await database.read();
		return stored.finished >= count ? stored : undefined;
	});
}
