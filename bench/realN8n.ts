import { startSandbox } from '../sandbox';
import { startN8n, type N8nHost } from '../testkit/n8n-host/driver';
import { LAZY_ISOLATES } from '../testkit/n8n-host/isolates';
import { locateN8n } from '../testkit/n8n-host/locate';
import { until } from '../testkit/n8n-host/poll';
import { ORIGIN } from '../testkit/publishTrigger';
import { Database, type Stored } from './support/database';
import { startGithubStandIn } from './support/githubStandIn';
import { burst, type Burst } from './support/load';
import { processorTime, type ProcessorTime } from './support/processorTime';
import { shuffled } from './support/shuffled';
import {
	KINDS,
	publishSubject,
	SUBJECTS,
	type Kind,
	type Providers,
	type Subject,
	type SubjectName,
	type Traffic,
} from './support/subjects';

/** Ways in which n8n evaluates expressions, and the settings that choose them. */
const SETTINGS = {
	/** In isolates, one for each delivery and run: the default. */
	vm: {},
	/** In isolates that are made when there is something to evaluate. */
	lazy: LAZY_ISOLATES,
	/** In n8n's own process. */
	legacy: { N8N_EXPRESSION_ENGINE: 'legacy' },
} as const satisfies Record<string, Record<string, string>>;

export type Engine = keyof typeof SETTINGS;
const ENGINES: readonly Engine[] = ['vm', 'lazy', 'legacy'];

/** The result of one burst. */
export interface Sample extends Omit<Burst, 'answeredMs'> {
	/** Until the last run had finished, not only until the last answer. */
	readonly perSecond: number;
	/** Growth of the database in bytes per delivery. */
	readonly growth: number;
	/** Milliseconds of processor time per delivery. */
	readonly processor: ProcessorTime;
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
	readonly engine: Engine;
	readonly name: SubjectName;
	readonly subject: Subject;
	readonly n8n: N8nHost;
	readonly database: Database;
}

/** Loads each subject in a real n8n of its own, with each engine; all take turns in random order. */
export async function benchRealN8n({
	tarball,
	rounds,
	amount,
}: LoadOptions): Promise<LoadResult[]> {
	const providers: Providers = {
		sandbox: await startSandbox(),
		github: await startGithubStandIn(),
	};
	const stations: Station[] = [];
	try {
		for (const engine of ENGINES) {
			for (const name of SUBJECTS) {
				stations.push(await startStation(engine, name, tarball, providers));
			}
		}
		const loads = KINDS.flatMap((kind) =>
			stations.flatMap((station) => {
				const traffic = station.subject.traffic[kind];
				const { engine, name: subject } = station;
				const result: LoadResult = { engine, subject, kind, samples: [] };
				return traffic === undefined ? [] : [{ station, traffic, result }];
			}),
		);
		for (let round = 0; round <= rounds; round++) {
			for (const { station, traffic, result } of shuffled(loads)) {
				const sample = await measure(station, traffic, amount[station.engine]);
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
	engine: Engine,
	name: SubjectName,
	tarball: string,
	providers: Providers,
): Promise<Station> {
	const env = SETTINGS[engine];
	const n8n = await startN8n({ tarball, webhookUrl: ORIGIN, editor: true, env });
	try {
		const { nodeBinary } = await locateN8n();
		const subject = await publishSubject[name](n8n, providers);
		return { engine, name, subject, n8n, database: new Database(nodeBinary, n8n.userFolder) };
	} catch (error) {
		await n8n.stop();
		throw error;
	}
}

async function measure(
	{ subject, n8n, database }: Station,
	{ url = subject.url, make, status, runs }: Traffic,
	amount: number,
): Promise<Sample> {
	const before = await database.read();
	const processorBefore = await processorTime(n8n.pid);
	const startedMs = Date.now();
	const { p50, p99, answeredMs } = await burst(url, amount, status, make);
	const after = await finished(database, before.finished + (runs ? amount : 0));
	if (!runs && after.stored !== before.stored) {
		throw new Error(`${after.stored - before.stored} of ${amount} deliveries became a run`);
	}
	const processorAfter = await processorTime(n8n.pid);
	const endMs = runs ? Math.max(answeredMs, after.lastEndMs) : answeredMs;
	return {
		p50,
		p99,
		perSecond: amount / ((endMs - startedMs) / 1000),
		growth: (after.bytes - before.bytes) / amount,
		processor: {
			mainThread: (processorAfter.mainThread - processorBefore.mainThread) / amount,
			allThreads: (processorAfter.allThreads - processorBefore.allThreads) / amount,
		},
	};
}

async function finished(database: Database, count: number): Promise<Stored> {
	return await until(`${count} runs to finish`, RUNS_MS, async () => {
		const stored = await database.read();
		return stored.finished >= count ? stored : undefined;
	});
}
