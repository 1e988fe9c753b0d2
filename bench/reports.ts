import { median, ratio, scatter } from '../testkit/statistics';
import type { OwnWork } from './ownWork';
import type { Engine, LoadResult } from './realN8n';
import type { PublishedStart, PublishedStarts } from './publishedStart';
import type { Registration } from './registration';
import { INSTALLATIONS, type Cost, type Installation } from './start';
import { asMarkdownTable, fixed, percent, times } from './support/format';
import { KINDS, type Kind, type SubjectName } from './support/subjects';

/** Turns measurements into Markdown: figures, and whether each goal was met. */

interface Goal {
	readonly engine: Engine;
	readonly subject: SubjectName;
	readonly kind: Kind;
	readonly rival: SubjectName;
	/** Of the rival; default: the same as of the subject. */
	readonly rivalKind?: Kind;
	readonly bar: number;
}

/** A delivery without a run may cost at most a third of one that n8n's Webhook node runs. */
const CHEAP: readonly Goal[] = (['forged', 'ignored', 'unmet', 'duplicate'] as const).map(
	(kind) => ({
		engine: 'lazy',
		subject: 'our trigger',
		kind,
		rival: 'bare Webhook node',
		rivalKind: 'valid',
		bar: 3,
	}),
);

const RECEIVE: readonly Goal[] = (['vm', 'lazy'] as const).map((engine) => ({
	engine,
	subject: 'Webhook and Receive',
	kind: 'valid',
	rival: 'bare Webhook node',
	bar: 0.9,
}));

const GOALS: readonly Goal[] = [
	{ engine: 'vm', subject: 'our trigger', kind: 'valid', rival: 'core GitHub Trigger', bar: 1 },
	{ engine: 'lazy', subject: 'our trigger', kind: 'valid', rival: 'bare Webhook node', bar: 1 },
	{ engine: 'lazy', subject: 'our trigger', kind: 'valid', rival: 'core GitHub Trigger', bar: 3 },
	...CHEAP,
	{
		engine: 'lazy',
		subject: 'our trigger',
		kind: 'unmet',
		rival: 'our trigger',
		rivalKind: 'forged',
		bar: 1,
	},
	...RECEIVE,
	{ engine: 'legacy', subject: 'our trigger', kind: 'valid', rival: 'core GitHub Trigger', bar: 1 },
	{ engine: 'legacy', subject: 'our trigger', kind: 'forged', rival: 'recipe', bar: 5 },
];

export function realN8nReport(results: readonly LoadResult[]): string {
	const rates = (engine: Engine, kind: Kind, subject: SubjectName) =>
		results
			.filter((result) => result.engine === engine && result.kind === kind)
			.filter((result) => result.subject === subject)
			.flatMap(({ samples }) => samples.map(({ perSecond }) => perSecond));
	const figures = ({ engine, kind, subject, samples }: LoadResult) => {
		const ours = rates(engine, kind, subject);
		return [
			engine,
			subject,
			fixed(median(ours)),
			percent(scatter(ours)),
			times(ratio(ours, rates(engine, 'valid', 'bare Webhook node'))),
			fixed(median(samples.map(({ p50 }) => p50))),
			fixed(median(samples.map(({ p99 }) => p99))),
			fixed(median(samples.map(({ growth }) => growth)) / 1024),
			fixed(median(samples.map(({ processor }) => processor.mainThread))),
			fixed(median(samples.map(({ processor }) => processor.allThreads))),
		];
	};
	const tables = KINDS.map((kind) =>
		asMarkdownTable([
			[
				'engine',
				`${kind} deliveries`,
				'per second',
				'scatter',
				'/ bare Webhook',
				'p50 ms',
				'p99 ms',
				'kB each',
				'main thread, CPU ms',
				'all threads, CPU ms',
			],
			...results.filter((result) => result.kind === kind).map(figures),
		]),
	);
	const goals = GOALS.map(({ engine, subject, kind, rival, rivalKind = kind, bar }) => {
		const reached = ratio(rates(engine, kind, subject), rates(engine, rivalKind, rival));
		const against = rivalKind === kind ? rival : `${rival}, ${rivalKind}`;
		const what = `${subject}, ${kind}, against ${against}`;
		return [engine, what, times(reached), `>= ${bar}`, verdict(reached >= bar)];
	});
	return [...tables, asMarkdownTable([['engine', 'goal', 'times', 'bar', 'met'], ...goals])].join(
		'\n\n',
	);
}

export function startReport(starts: Readonly<Record<Installation, readonly Cost[]>>): string {
	const rows = INSTALLATIONS.map((installation) => {
		const milliseconds = starts[installation].map((cost) => cost.milliseconds);
		const megabytes = starts[installation].map((cost) => cost.megabytes);
		return [
			`n8n's start ${installation}`,
			fixed(median(milliseconds)),
			percent(scatter(milliseconds)),
			fixed(median(megabytes)),
			percent(scatter(megabytes)),
		];
	});
	const difference = (key: keyof Cost) => {
		const [without, withIt] = INSTALLATIONS.map((installation) =>
			median(starts[installation].map((cost) => cost[key])),
		);
		return {
			without: without ?? Number.NaN,
			more: (withIt ?? Number.NaN) - (without ?? Number.NaN),
		};
	};
	const time = difference('milliseconds');
	const memory = difference('megabytes');
	return [
		asMarkdownTable([['what', 'ms', 'scatter', 'RSS MB', 'scatter'], ...rows]),
		`With the package n8n's start takes ${percent(time.more / time.without)} more (goal: at most 1 %) and ${fixed(memory.more)} MB more (goal: at most 3 MB).`,
	].join('\n\n');
}

/** @param workflows - how many were published */
export function publishedReport(results: readonly PublishedStarts[], workflows: number): string {
	const figures = (of: PublishedStarts, key: keyof PublishedStart) =>
		of.starts.map((start) => start[key]);
	const rows = results.map((result) => {
		const milliseconds = figures(result, 'milliseconds');
		const calls = (key: keyof PublishedStart) => String(median(figures(result, key)));
		return [
			`${workflows} ${result.population}`,
			result.publication,
			fixed(median(milliseconds)),
			percent(scatter(milliseconds)),
			fixed(median(figures(result, 'processor'))),
			fixed(median(figures(result, 'processorAfter'))),
			fixed(median(figures(result, 'megabytes'))),
			calls('callsBefore'),
			calls('callsAfter'),
			calls('mostInASecond'),
		];
	});
	const goals = results
		.filter(({ population }) => population.startsWith('our'))
		.map((ours) => {
			const rival = results.find(
				({ population, publication }) =>
					population === 'Schedule Triggers' && publication === ours.publication,
			);
			const reached = (key: 'milliseconds' | 'processor') =>
				ratio(figures(ours, key), rival === undefined ? [] : figures(rival, key));
			const [time, processor] = [reached('milliseconds'), reached('processor')];
			return [
				`${ours.population}, ${ours.publication} the publication service`,
				times(time),
				times(processor),
				'<= 1',
				verdict(time <= 1),
			];
		});
	return [
		asMarkdownTable([
			[
				'published',
				'publication service',
				'ready, ms',
				'scatter',
				'CPU ms until then',
				'CPU ms, minute after',
				'RSS MB',
				'calls before',
				'calls in the minute after',
				'most in a second',
			],
			...rows,
		]),
		asMarkdownTable([
			['ready, against Schedule Triggers', 'time', 'CPU', 'bar', 'met (time)'],
			...goals,
		]),
	].join('\n\n');
}

export function registrationReport(registrations: readonly Registration[]): string {
	return asMarkdownTable([
		['trigger', 'endpoints in the account', 'calls to publish', 'calls at a restart', 'ms'],
		...registrations.map(({ trigger, endpoints, publishCalls, restartCalls, milliseconds }) => [
			trigger,
			String(endpoints),
			String(publishCalls),
			String(restartCalls),
			fixed(milliseconds),
		]),
	]);
}

/** The most that a trigger's own work may take for a delivery of 1 kB. */
const OWN_WORK_BOUND = 100;

export function ownWorkReport(ownWork: OwnWork): string {
	return asMarkdownTable([
		['trigger', 'own work, µs', 'bound, µs', 'met'],
		...Object.entries(ownWork).map(([trigger, samples]) => {
			const microseconds = median(samples);
			return [
				trigger,
				fixed(microseconds),
				String(OWN_WORK_BOUND),
				verdict(microseconds <= OWN_WORK_BOUND),
			];
		}),
	]);
}

function verdict(met: boolean): string {
	return met ? 'yes' : 'no';
}
