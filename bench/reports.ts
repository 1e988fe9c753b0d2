import type { GrowthResult } from './growth';
import { CONTENDERS, type ContenderName, type Measurement } from './inProcess';
import { ENGINES, type Kind, type LoadResult, type Sample } from './realN8n';
import { INSTALLATIONS, type StartResult } from './start';
import { asMarkdownTable, fixed, percent, times } from './support/format';
import { median, ratio, scatter } from '../testkit/statistics';
import type { SubjectName } from './support/subjects';

/** Turns measurements into Markdown: figures, and each goal with whether it was met. */

export function inProcessReport(measurements: readonly Measurement[]): string {
	const of = ({ samples }: Measurement, name: ContenderName) => samples[name] ?? [];
	const rows = measurements.map((measurement) => {
		const cells = CONTENDERS.map((name) => fixed(median(of(measurement, name))));
		return [measurement.trigger, String(measurement.bytes), ...cells];
	});
	const ratios = measurements.map((measurement) => {
		const [own, all] = [of(measurement, 'own work'), of(measurement, 'webhook()')];
		const limit = of(measurement, 'limit');
		const slower = [
			...TRIGGERS.filter((name) => ratio(all, of(measurement, name)) >= 1),
			...LIBRARIES.filter((name) => ratio(own, of(measurement, name)) >= 1),
		];
		const bar = measurement.bytes < 10_000 ? 2 : 1.25;
		return [
			measurement.trigger,
			String(measurement.bytes),
			times(ratio(own, limit)),
			percent(scatter(own)),
			ratio(own, limit) <= bar ? `yes (${bar})` : `no (${bar})`,
			times(ratio(all, limit)),
			fixed(median(all.map((value, round) => value - (own[round] ?? Number.NaN)))),
			slower.length === 0 ? 'all' : `not ${slower.join(', ')}`,
		];
	});
	return [
		asMarkdownTable([['trigger', 'bytes', ...CONTENDERS], ...rows]),
		asMarkdownTable([
			[
				'trigger',
				'bytes',
				'own work / limit',
				'scatter',
				'within the goal',
				'webhook() / limit',
				"n8n's share, µs",
				'faster than',
			],
			...ratios,
		]),
	].join('\n\n');
}

/** Compared with `webhook()`: n8n does the same for them. */
const TRIGGERS = ['core Stripe Trigger', 'core GitHub Trigger'] as const;
/** Compared with our own work: they know no n8n. */
const LIBRARIES = ['stripe', '@octokit/webhooks-methods', 'standardwebhooks'] as const;

export function realN8nReport(results: readonly LoadResult[]): string {
	const middle = (samples: readonly Sample[], key: keyof Sample) =>
		median(samples.map((sample) => sample[key]));
	const rows = results.map(({ engine, subject, kind, samples }) => [
		engine,
		subject,
		kind,
		fixed(middle(samples, 'perSecond')),
		percent(scatter(samples.map(({ perSecond }) => perSecond))),
		fixed(middle(samples, 'p50')),
		fixed(middle(samples, 'p99')),
		fixed(middle(samples, 'stored')),
		fixed(middle(samples, 'growth') / 1024),
		fixed(middle(samples, 'rss')),
	]);
	const goal = (engine: LoadResult['engine'], kind: Kind, rival: SubjectName, bar: number) => {
		const rates = (subject: SubjectName) =>
			results
				.filter((result) => result.engine === engine && result.kind === kind)
				.filter((result) => result.subject === subject)
				.flatMap(({ samples }) => samples.map(({ perSecond }) => perSecond));
		const reached = ratio(rates('our trigger'), rates(rival));
		const verdict = reached >= bar ? 'yes' : 'no';
		return [engine, `${kind}, against the ${rival}`, times(reached), `>= ${bar}`, verdict];
	};
	return [
		asMarkdownTable([
			[
				'engine',
				'workflow',
				'deliveries',
				'per second',
				'scatter',
				'p50 ms',
				'p99 ms',
				'rows each',
				'kB each',
				'RSS MB',
			],
			...rows,
		]),
		asMarkdownTable([
			['engine', 'our trigger', 'times', 'goal', 'met'],
			...ENGINES.flatMap((engine) => [
				goal(engine, 'valid', 'core GitHub Trigger', 1),
				goal(engine, 'forged', 'recipe', engine === 'vm' ? 1.3 : 5),
			]),
		]),
	].join('\n\n');
}

export function startReport({ loads, starts }: StartResult): string {
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
	const load = [
		'loading all nodes and credentials',
		fixed(median(loads.map(({ milliseconds }) => milliseconds))),
		percent(scatter(loads.map(({ milliseconds }) => milliseconds))),
		fixed(median(loads.map(({ megabytes }) => megabytes))),
		percent(scatter(loads.map(({ megabytes }) => megabytes))),
	];
	const difference = (key: 'milliseconds' | 'megabytes') => {
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
		asMarkdownTable([['what', 'ms', 'scatter', 'RSS MB', 'scatter'], ...rows, load]),
		`With the package n8n's start takes ${percent(time.more / time.without)} more (goal: at most 1 %) and ${fixed(memory.more)} MB more (goal: at most 3 MB).`,
	].join('\n\n');
}

export function growthReport({ dedupe, registrations, bodies }: GrowthResult): string {
	return [
		asMarkdownTable([
			['deliveries seen before', 'µs per delivery', 'scatter'],
			...[...dedupe].map(([filling, samples]) => [
				String(filling),
				fixed(median(samples)),
				percent(scatter(samples)),
			]),
		]),
		asMarkdownTable([
			['trigger', 'endpoints in the account', 'calls to publish', 'calls at a restart', 'ms'],
			...registrations.map(({ trigger, endpoints, publishCalls, restartCalls, milliseconds }) => [
				trigger,
				String(endpoints),
				String(publishCalls),
				String(restartCalls),
				fixed(milliseconds),
			]),
		]),
		asMarkdownTable([
			['bytes', 'webhook() µs', 'µs per kB', 'webhook() / limit'],
			...bodies.map(({ bytes, ours, limit }) => [
				String(bytes),
				fixed(median(ours)),
				fixed((median(ours) / bytes) * 1_000),
				times(ratio(ours, limit)),
			]),
		]),
	].join('\n\n');
}
