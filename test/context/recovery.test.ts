import { describe, expect, it, jest } from '@jest/globals';

import type { IDataObject } from 'n8n-workflow';

import { buildDelivery } from '../../sandbox';
import { processedData } from '../../testkit/processedData';
import { recordWarnings } from './logs';
import { outputSchema } from './outputSchema';
import { endProcess, useProcess } from './process';
import { misarBlog } from './providers';
import {
	MINUTE_MS,
	SECRET,
	START,
	sandbox,
	setTime,
	publish,
	miss,
	mailTo,
	arrive,
	killInRun,
	restart,
	atFirstStart,
	callsTo,
	confirming,
	ProcessedEvents,
} from './recoveryHost';

/** Events whose deliveries were lost, found through the provider's API. */

describe('an article that was missed', () => {
	it('starts a run with what the API returns', async () => {
		const { tick } = await publish({ trigger: misarBlog });
		await miss('article.published', 1, { id: 'art-1' });
		const at = new Date(START + MINUTE_MS).toISOString();
		const items = await tick(3);
		expect(outputSchema(misarBlog.nodeFile, 2, 'output')?.deviations(items)).toEqual([]);
		expect(items).toEqual([
			{
				provider: 'misarBlog',
				event: 'article.published',
				deliveryId: `article.published|art-1|${Date.parse(at)}`,
				occurredAt: at,
				recipient: null,
				data: {
					article: {
						id: 'art-1',
						slug: 'my-first-article',
						title: 'My First Article',
						excerpt: 'A brief summary of the article.',
						tags: ['writing', 'productivity'],
						published_at: at,
						updated_at: at,
						canonical_url: 'https://www.misar.blog/@username/articles/my-first-article',
						content_html: '<p>Full HTML content…</p>',
						content_markdown: 'Full content…',
						visibility: 'public',
						featured_image_url: 'https://images.example.com/cover.jpg',
					},
				},
				recovered: true,
				source: 'GET /blog/v1/articles/:id',
			},
		]);
	});

	it('is recovered from the list alone if it no longer exists', async () => {
		const { tick } = await publish({ trigger: misarBlog });
		await miss('article.published', 1, { id: 'art-1' });
		sandbox.fault({ provider: 'misarBlog', kind: 'delay', times: 1 });
		sandbox.fault({ provider: 'misarBlog', kind: 'status', status: 404 });
		const [item] = await tick(3);
		expect(item).toMatchObject({ source: 'GET /blog/v1/articles', recovered: true });
		expect(item?.['data']).toMatchObject({ article: { id: 'art-1' } });
	});

	it.each(['..', '\ud800'])(
		'is recovered from the list alone if its ID cannot be a part of a path: %j',
		async (id) => {
			const { tick } = await publish({ trigger: misarBlog });
			await miss('article.published', 1, { id });
			await miss('article.published', 1, { id: 'art-1' });
			const about = ({ source, data }: IDataObject) => [source, data];
			expect((await tick(3)).map(about)).toEqual([
				['GET /blog/v1/articles', { article: expect.objectContaining({ id }) }],
				['GET /blog/v1/articles/:id', { article: expect.objectContaining({ id: 'art-1' }) }],
			]);
			expect(callsTo('/')).toBe(callsTo('/blog/v1/articles'));
		},
	);

	it.each([404, 405])(
		'is recovered after the list was missing for a while (%i)',
		async (status) => {
			const { tick } = await publish({ trigger: misarBlog });
			await miss('article.published', 1, { id: 'art-1' });
			sandbox.fault({ provider: 'misarBlog', kind: 'status', status, times: 2 });
			expect(await tick(3)).toEqual([]);
			// Later than the overlap of two readings.
			expect(await tick(40)).toEqual([]);
			expect(await tick(300)).toMatchObject([{ data: { article: { id: 'art-1' } } }]);
		},
	);

	it.each(['data', 'articles'] as const)('is read from a list under "%s"', async (articleList) => {
		sandbox.setBehaviour('misarBlog', { articleList });
		const { tick } = await publish({ trigger: misarBlog });
		await miss('article.published', 1, { id: 'art-1' });
		expect(await tick(3)).toHaveLength(1);
	});
});

describe('a suppression', () => {
	it.each([
		[
			'email.bounced',
			mailTo('ada@example.com'),
			{
				recipient: 'ada@example.com',
				subject: 'Hi',
				status: 'bounced',
				bounceType: 'hard',
				metadata: { bounceReason: '550 5.1.1 User unknown', dsn: '5.1.1' },
				messageId: 'msg_1',
			},
		],
		[
			'email.complained',
			{ data: { recipient: 'ada@example.com', subject: 'Hi' } },
			{ recipient: 'ada@example.com', subject: 'Hi', status: 'complained', messageId: 'msg_1' },
		],
		['email.unsubscribed', { data: { email: 'ada@example.com' } }, { email: 'ada@example.com' }],
	])('of %s starts a run with what the API returns', async (event, sent, data) => {
		const { tick } = await publish({ events: [event] });
		await miss(event, 1, { id: 'msg_1', ...sent });
		const timestamp = new Date(START + MINUTE_MS).toISOString();
		expect(await tick(3)).toEqual([
			{
				provider: 'metigan',
				event,
				deliveryId: expect.stringContaining(event),
				occurredAt: timestamp,
				recipient: 'ada@example.com',
				data: { ...data, timestamp },
				recovered: true,
				source: 'GET /api/suppressions',
			},
		]);
	});

	it('is skipped if its event or bounce type is not selected', async () => {
		const { tick } = await publish({ events: ['email.bounced'], options: { bounceType: 'hard' } });
		await miss('email.complained', 1, { data: { recipient: 'a@example.com' } });
		await miss('email.bounced', 1, mailTo('b@example.com', { bounceType: 'soft' }));
		await miss('email.bounced', 1, mailTo('c@example.com'));
		expect(await tick(3)).toMatchObject([{ recipient: 'c@example.com' }]);
	});
});

describe('conditions', () => {
	it('skip a missed event that does not meet them', async () => {
		const rows = [{ field: 'recipient', operator: 'contains', value: '@example.com' }];
		const { tick } = await publish({ options: { conditions: { rows } } });
		await miss('email.bounced', 1, mailTo('a@example.org'));
		await miss('email.bounced', 1, mailTo('b@example.com'));
		await miss('email.bounced', 1, mailTo('c@example.org'));
		expect(await tick(3)).toMatchObject([{ recipient: 'b@example.com' }]);
		expect(await tick(4)).toEqual([]);
		await miss('email.bounced', 5, mailTo('d@example.com'));
		expect(await tick(7)).toMatchObject([{ recipient: 'd@example.com' }]);
	});

	it.each(['', 'another'])(
		'can be met by a late delivery that says more than the list (in process "%s")',
		async (name) => {
			const rows = [{ field: 'other', path: 'payload.messageId', operator: 'exists' }];
			const { host, tick } = await publish({ options: { conditions: { rows } } });
			await miss('email.bounced', 1, { id: 'msg_1', ...mailTo('a@example.com') });
			expect(await tick(3)).toEqual([]);
			useProcess(name);
			const late = { id: 'msg_1', ...mailTo('a@example.com') };
			expect(await arrive(host, 'email.bounced', 1, late, 'untold')).toHaveLength(1);
			useProcess('');
		},
	);

	it('are checked against what the API returns for a missed event, not its list alone', async () => {
		const rows = [{ field: 'data.article.visibility', operator: 'equals', value: 'public' }];
		const { tick } = await publish({ trigger: misarBlog, options: { conditions: { rows } } });
		await miss('article.published', 1, { id: 'art-1' });
		expect(await tick(3)).toMatchObject([{ data: { article: { id: 'art-1' } } }]);
		expect(callsTo('/blog/v1/articles/art-1')).toBe(1);
	});
});

describe('an event', () => {
	it('from before the first activation is not recovered', async () => {
		await miss('email.bounced', -1, mailTo('a@example.com'));
		const { tick } = await publish();
		expect(await tick(3)).toEqual([]);
		expect(await tick(10)).toEqual([]);
	});

	it('that was delivered does not run again', async () => {
		const { host, tick } = await publish();
		expect(await arrive(host, 'email.bounced', 1, mailTo('a@example.com'))).toHaveLength(1);
		expect(await tick(3)).toEqual([]);
	});

	it('that was delivered to another process does not run again', async () => {
		const { host, tick, close } = await publish();
		await arrive(host, 'email.bounced', 1, mailTo('a@example.com'));
		await miss('email.bounced', 1, mailTo('b@example.com'));
		endProcess();
		expect(await tick(3)).toMatchObject([{ recipient: 'b@example.com' }]);
		await close();
		// The lookup has left nothing that a new process would take for a run that was cut short.
		const restarted = await restart(host);
		expect(await restarted.tick(5)).toEqual([]);
	});

	it('that was recovered does not run again when its delivery comes late', async () => {
		const { host, tick } = await publish();
		await miss('email.bounced', 1, { id: 'msg_1', ...mailTo('a@example.com') });
		expect(await tick(3)).toHaveLength(1);
		const late = { id: 'msg_1', ...mailTo('a@example.com') };
		expect(await arrive(host, 'email.bounced', 1, late)).toEqual([]);
		useProcess('another');
		expect(await arrive(host, 'email.bounced', 1, late)).toEqual([]);
		useProcess('');
		// Another event of the same address in the same minute is not its copy.
		const other = { id: 'msg_2', ...mailTo('a@example.com', { subject: 'Other' }) };
		expect(await arrive(host, 'email.bounced', 1, other)).toHaveLength(1);
	});

	it('that was recovered does not suppress a problem that comes with its late delivery', async () => {
		const { host, tick } = await publish({ options: { reportProblems: true } });
		const bounce = { id: 'msg_1', ...mailTo('a@example.com') };
		await miss('email.bounced', 1, bounce);
		expect(await tick(3)).toHaveLength(1);
		const timestampMs = START + MINUTE_MS;
		const late = buildDelivery({
			...{ provider: 'metigan', event: 'email.bounced', secret: SECRET, timestampMs },
			...bounce,
		});
		const { run = [] } = await host.deliver(late);
		const [, problem] = run;
		expect(problem?.json).toMatchObject({ problem: 'eventsUnknown' });
		expect(await host.execute([...run], 'webhook')).toEqual([[], [problem]]);
	});

	it('runs even if it resembles one that was delivered', async () => {
		const { host } = await publish();
		const of = (id: string) => ({ id, ...mailTo('a@example.com', { subject: id }) });
		expect(await arrive(host, 'email.bounced', 1, of('msg_1'))).toHaveLength(1);
		expect(await arrive(host, 'email.bounced', 1, of('msg_2'))).toHaveLength(1);
	});

	it('is recovered once by any number of checks', async () => {
		const { tick } = await publish();
		await miss('email.bounced', 1, mailTo('a@example.com'));
		expect(await tick(3)).toHaveLength(1);
		endProcess();
		for (const minute of [10, 20, 30]) expect(await tick(minute)).toEqual([]);
	});

	it('runs again when a person retries its run', async () => {
		const { host, tick } = await publish();
		await miss('email.bounced', 1, mailTo('a@example.com'));
		await tick(3);
		const { items = [] } =
			host.emitted.find((run) => run.items[0]?.json['recovered'] === true) ?? {};
		const [[again] = []] = await host.execute(items, 'retry');
		expect(again?.json).toMatchObject({ recipient: 'a@example.com', recovered: true });
	});

	it('that appears in the list after newer ones is recovered', async () => {
		const { tick } = await publish();
		await miss('email.bounced', 10, mailTo('b@example.com'));
		expect(await tick(12)).toMatchObject([{ recipient: 'b@example.com' }]);
		await miss('email.bounced', 2, mailTo('a@example.com'));
		expect(await tick(13)).toMatchObject([{ recipient: 'a@example.com' }]);
	});

	it('runs in a worker again if n8n’s queue starts its run again, but in no other run', async () => {
		const { host, tick } = await publish();
		await miss('email.bounced', 1, mailTo('a@example.com'));
		await tick(3);
		const [{ json = {} } = {}] =
			host.emitted.find(({ items }) => items[0]?.json['recovered'] === true)?.items ?? [];
		const inWorker = async (run: string) => {
			const trigger = { ...Object(json['trigger']), startedBy: 'the main process', run };
			return (await host.execute([{ json: { ...json, trigger } }]))[0];
		};
		expect(await inWorker('one')).toHaveLength(1);
		expect(await inWorker('one')).toHaveLength(1);
		expect(await inWorker('another')).toEqual([]);
	});

	it('that may still be on its way is left to a later check', async () => {
		const { tick } = await publish();
		await miss('email.bounced', 2.5, mailTo('a@example.com'));
		expect(await tick(3)).toEqual([]);
		expect(await tick(10)).toHaveLength(1);
	});
});

describe('a recovery', () => {
	it('takes one call per check if nothing was missed', async () => {
		const { host, tick } = await publish({ options: { checkInterval: 10 } });
		await arrive(host, 'email.bounced', 1, mailTo('a@example.com'));
		for (let minute = 2; minute <= 31; minute++) await tick(minute);
		// After the start, and at three checks.
		expect(callsTo('/api/suppressions')).toBe(4);
	});

	it('reads every page, and skips none of those that share a time', async () => {
		const { tick } = await publish();
		const addresses = Array.from({ length: 450 }, (_, index) => `${index}@example.com`);
		for (const address of addresses) await miss('email.bounced', 1, mailTo(address));
		const items = await tick(3);
		expect(items.map(({ recipient }) => recipient).sort()).toEqual(addresses.sort());
	}, 60_000);

	it('reads the list again if entries were removed meanwhile', async () => {
		const { tick } = await publish();
		const addresses = Array.from({ length: 250 }, (_, index) => `${index}@example.com`);
		for (const address of addresses) await miss('email.bounced', 1, mailTo(address));
		// The first page is answered before an entry of it is removed, the second one after that.
		sandbox.fault({
			provider: 'metigan',
			kind: 'rewrite',
			rewrite: (answer) => {
				void fetch(`${sandbox.url}/api/suppressions/0@example.com`, {
					method: 'DELETE',
					headers: { 'x-api-key': sandbox.keys.metigan },
				});
				return answer;
			},
		});
		expect((await tick(3)).length).toBeGreaterThanOrEqual(249);
	}, 60_000);

	it('continues where it stopped after the provider has failed', async () => {
		const warnings = recordWarnings();
		const { tick } = await publish({ trigger: misarBlog });
		for (const id of ['art-1', 'art-2', 'art-3']) await miss('article.published', 1, { id });
		sandbox.fault({ provider: 'misarBlog', kind: 'delay', times: 2 });
		sandbox.fault({ provider: 'misarBlog', kind: 'status', status: 500 });
		const first = await tick(3);
		expect(warnings).toEqual([expect.stringContaining('Missed events could not be recovered')]);
		const rest = await tick(4);
		expect([first, rest].map((items) => items.length)).toEqual([1, 2]);
		expect(await tick(10)).toEqual([]);
	});

	it('is repeated a minute after a failure, however long its interval', async () => {
		recordWarnings();
		const { tick } = await publish({ options: { checkInterval: 0 } });
		await miss('email.bounced', 1, mailTo('a@example.com'));
		sandbox.fault({ provider: 'metigan', kind: 'status', status: 500, times: 1 });
		expect(await tick(3)).toEqual([]);
		expect(await tick(4)).toMatchObject([{ recipient: 'a@example.com' }]);
	});

	it('starts events again that n8n refused to start, however old they are by then', async () => {
		recordWarnings();
		const { host, tick } = await publish();
		await miss('email.bounced', 1, mailTo('a@example.com'));
		await miss('email.bounced', 40, mailTo('b@example.com'));
		atFirstStart(
			() => (host.refuseRuns = true),
			() => (host.refuseRuns = false),
		);
		expect(await tick(42)).toMatchObject([{ recipient: 'b@example.com' }]);
		expect(await tick(43)).toMatchObject([{ recipient: 'a@example.com' }]);
	});

	it('goes on if n8n misses the end of a run', async () => {
		const { host, tick } = await publish();
		host.reported = 'answers';
		await miss('email.bounced', 1, mailTo('a@example.com'));
		expect(await tick(3)).toMatchObject([{ recipient: 'a@example.com' }]);
		host.reported = 'all';
		await miss('email.bounced', 4, mailTo('b@example.com'));
		expect(await tick(6)).toMatchObject([{ recipient: 'b@example.com' }]);
		expect(await tick(7)).toEqual([]);
	});

	it('starts the events whose lookup got no answer because the report of a run was lost', async () => {
		const warnings = recordWarnings();
		const { host, tick } = await publish();
		await miss('email.bounced', 1, mailTo('a@example.com'));
		host.reported = 'ends';
		expect(await tick(3)).toEqual([]);
		expect(warnings).toEqual([expect.stringContaining('could not look up which events have run')]);
		host.reported = 'all';
		expect(await tick(4)).toMatchObject([{ recipient: 'a@example.com' }]);
	});

	/** Publishes, and loses what n8n reports of the run of a missed event, in the third minute. */
	async function loseReport() {
		const { host, tick } = await publish();
		await miss('email.bounced', 1, mailTo('a@example.com'));
		atFirstStart(
			() => (host.reported = 'nothing'),
			() => {
				host.reported = 'all';
				setTime(4);
			},
		);
		expect(await tick(3)).toMatchObject([{ recipient: 'a@example.com' }]);
		/** A tick waits less than a minute for the end of a run. */
		const wait = async (minute: number) => {
			const ended = tick(minute);
			setTime(minute + 1);
			return await ended;
		};
		return { tick, wait };
	}

	it('starts a run again an hour after the queue lost it', async () => {
		// The run is in another process.
		jest.spyOn(ProcessedEvents.prototype, 'knows').mockReturnValue(false);
		const warnings = recordWarnings();
		const { tick, wait } = await loseReport();
		expect(await wait(60)).toEqual([]);
		expect(warnings).toEqual([]);
		await wait(64);
		expect(await tick(65)).toEqual([]);
		expect(warnings).toEqual([
			expect.stringContaining('did not finish a run of this trigger in time'),
		]);
		expect(await tick(66)).toMatchObject([{ recipient: 'a@example.com' }]);
	});

	it('waits for a run in this process, however long it takes', async () => {
		const warnings = recordWarnings();
		const { wait } = await loseReport();
		expect(await wait(64)).toEqual([]);
		expect(await wait(66)).toEqual([]);
		// A warning would precede a second run.
		expect(warnings).toEqual([]);
	});

	it('is repeated at a start if n8n was killed before its end was saved', async () => {
		const { host, tick, close } = await publish();
		for (const name of ['a', 'b', 'c']) {
			await miss('email.bounced', 1, mailTo(`${name}@example.com`));
		}
		const saved = structuredClone(host.savedStaticData);
		expect(await tick(3)).toHaveLength(3);
		await close();
		host.savedStaticData = saved;
		await miss('email.bounced', 1, mailTo('d@example.com'));
		const restarted = await restart(host);
		expect(await restarted.tick(5)).toMatchObject([{ recipient: 'd@example.com' }]);
	});

	it('runs the events that it was looking up when n8n was killed', async () => {
		recordWarnings();
		const { host, tick, close } = await publish();
		await miss('email.bounced', 1, mailTo('a@example.com'));
		const after = await killInRun(host, { tick, close }, 1);
		expect(await after.tick(5)).toMatchObject([{ recipient: 'a@example.com' }]);
	});

	it('runs an event again whose recovered run was killed', async () => {
		recordWarnings();
		const { host, tick, close } = await publish();
		await miss('email.bounced', 1, mailTo('a@example.com'));
		const after = await killInRun(host, { tick, close }, 2);
		expect(await after.tick(5)).toMatchObject([{ recipient: 'a@example.com' }]);
		for (const minute of [6, 25]) expect(await after.tick(minute)).toEqual([]);
	});

	it('runs an event once whose recovered run was killed and whose delivery comes before the first check', async () => {
		recordWarnings();
		const { host, tick, close } = await publish();
		await miss('email.bounced', 1, { id: 'msg_1', ...mailTo('a@example.com') });
		const after = await killInRun(host, { tick, close }, 2);
		const late = { id: 'msg_1', ...mailTo('a@example.com') };
		expect(await arrive(host, 'email.bounced', 1, late)).toHaveLength(1);
		expect(await after.tick(5)).toEqual([]);
		expect(await (await restart(host)).tick(7)).toEqual([]);
	});

	it('starts no runs where nothing is new, also after a start', async () => {
		const { host, tick, close } = await publish();
		for (const name of ['a', 'b', 'c']) {
			await miss('email.bounced', 1, mailTo(`${name}@example.com`));
		}
		expect(await tick(3)).toHaveLength(3);
		const { length } = host.emitted;
		for (let minute = 4; minute <= 20; minute++) expect(await tick(minute)).toEqual([]);
		expect(host.emitted).toHaveLength(length);
		await close();
		const restarted = await restart(host);
		for (let minute = 21; minute <= 31; minute++) expect(await restarted.tick(minute)).toEqual([]);
		// Only the run that looks up the events.
		expect(host.emitted).toHaveLength(length + 1);
	});

	it('drops late deliveries of 2,500 recovered events, and copies of them in another process', async () => {
		const { host, tick } = await publish();
		const inputs = Array.from({ length: 2_500 }, (_, index) => ({
			id: `msg_${index}`,
			...mailTo(`${index}@example.com`),
		}));
		for (const input of inputs) await miss('email.bounced', 1, input);
		let recovered = 0;
		for (let minute = 3; recovered < inputs.length; minute++)
			recovered += (await tick(minute)).length;
		for (const input of [...inputs.slice(0, 50), ...inputs.slice(-50)]) {
			expect(await arrive(host, 'email.bounced', 1, input)).toEqual([]);
			useProcess('another');
			expect(await arrive(host, 'email.bounced', 1, input)).toEqual([]);
			useProcess('');
		}
	}, 300_000);

	it('starts over if the option was off meanwhile', async () => {
		const { host, close } = await publish();
		await close();
		expect(host.remembered).toHaveProperty('recovery');
		host.restart({ parameters: { registration: 'manual', events: ['email.bounced'] } });
		await host.publish();
		expect(host.remembered).not.toHaveProperty('recovery');
	});

	it('runs an event if it cannot be looked up whether it has run', async () => {
		recordWarnings();
		const { host } = await publish();
		processedData.broken = true;
		expect(await arrive(host, 'email.bounced', 1, mailTo('a@example.com'))).toHaveLength(1);
	});

	it('needs an API key', async () => {
		await expect(publish({ apiKey: '' })).rejects.toThrow(
			'The API key is missing. Recover Missed Events asks the Metigan API what happened',
		);
	});
});

describe('n8n’s table of processed events', () => {
	it('loses nothing that two processes write at once', async () => {
		const store = processedData;
		const context = { workflow: { id: 'w', active: true }, node: { id: 'n' } as never };
		const helpers = {
			checkProcessedAndRecord: async (items: Array<string | number>, _: string, options: object) =>
				await store.checkProcessedAndRecord(items, 'node', context, options),
			removeProcessed: async (items: Array<string | number>) =>
				await store.removeProcessed(items, 'node', context),
		};
		const processes = [new ProcessedEvents('t'), new ProcessedEvents('t')];
		const events = Array.from({ length: 40 }, (_, index) => ({
			...{ about: `event ${index}`, at: 0, toleranceMs: MINUTE_MS },
		}));
		await Promise.all(
			events.map(
				async (event, index) => await processes[index % 2]?.claimDelivery(helpers, event, false),
			),
		);
		const written = confirming.length;
		while (confirming.length > 0) await Promise.all(confirming.splice(0, written));
		expect(await new ProcessedEvents('t').claimMissing(helpers, events)).toEqual([]);
	}, 30_000);
});
