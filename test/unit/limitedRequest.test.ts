import { Readable } from 'node:stream';

import { describe, expect, it } from '@jest/globals';
import type { IHttpRequestOptions } from 'n8n-workflow';

import { CALL_LIMITS, requestWithin } from '../../nodes/shared/limitedRequest';

/** The deadline and the size limit of a call that leaves n8n. */

const SHORT = { deadlineMs: 100, maxBytes: 1_000 };
const REQUEST = { url: 'https://api.example.com' };
const never = new Promise<never>(() => {});

const answer = (body: unknown) => ({ statusCode: 200, headers: {}, body });
const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
const said = async (body: unknown) =>
	(await requestWithin(async () => answer(body), REQUEST, SHORT)).body;

describe('an answer', () => {
	it.each([
		['JSON', '{"a":[1]}', { a: [1] }],
		['JSON after a byte order mark', '\uFEFF{"a":1}', { a: 1 }],
		['a web page', '<html></html>', '<html></html>'],
		['JSON that was cut off', '{"a":', '{"a":'],
		['letters that parts of it share', '"é"', 'é'],
		['nothing', '', ''],
		['JSON of 150 levels', nested(150), 'JSON that is nested too deeply to be read'],
	])('is read: %s', async (_what, text, body) => {
		// Byte by byte.
		const bytes = [...Buffer.from(text)].map((byte) => Buffer.from([byte]));
		expect(await said(Readable.from(bytes))).toEqual(body);
	});

	it('that is nested too deeply is refused from n8n’s own mock as well', async () => {
		expect(await said(JSON.parse(nested(5_000)))).toBe('JSON that is nested too deeply to be read');
	});

	it('from n8n’s own mock is taken as it is', async () => {
		expect(await said({ id: 'wh_1' })).toEqual({ id: 'wh_1' });
	});

	it('is returned with its status and headers, whatever they are', async () => {
		const refusal = { statusCode: 500, headers: { 'retry-after': '1' }, body: Readable.from([]) };
		expect(await requestWithin(async () => refusal, REQUEST, SHORT)).toEqual({
			...refusal,
			body: '',
		});
	});

	it('may be as large as the limit, but not a byte larger', async () => {
		const { maxBytes } = SHORT;
		expect(await said(Readable.from([Buffer.alloc(maxBytes, '1')]))).toBe(
			Number('1'.repeat(maxBytes)),
		);
		const larger = Readable.from([Buffer.alloc(maxBytes), Buffer.alloc(1)]);
		await expect(said(larger)).rejects.toMatchObject({ code: 'ERR_BODY_TOO_LARGE' });
		expect(larger.destroyed).toBe(true);
	});
});

describe('an answer that never ends', () => {
	it('is read up to the limit', async () => {
		let taken = 0;
		const flood = new Readable({
			highWaterMark: 1,
			read() {
				taken += 10;
				this.push(Buffer.alloc(10));
			},
		});
		await expect(said(flood)).rejects.toMatchObject({ code: 'ERR_BODY_TOO_LARGE' });
		expect(taken).toBeLessThan(SHORT.maxBytes + 100);
		expect(flood.destroyed).toBe(true);
	});

	it('is given up at the deadline if it arrives byte by byte', async () => {
		const drip = new Readable({ read() {} });
		const timer = setInterval(() => drip.push(' '), 10);
		await expect(said(drip)).rejects.toMatchObject({ code: 'ETIMEDOUT' });
		clearInterval(timer);
		expect(drip.destroyed).toBe(true);
	});

	it('is given up at the deadline if it does not begin, and the request is aborted', async () => {
		let signal: IHttpRequestOptions['abortSignal'];
		const call = requestWithin(
			async ({ abortSignal }) => {
				signal = abortSignal;
				return await never;
			},
			REQUEST,
			SHORT,
		);
		await expect(call).rejects.toMatchObject({ code: 'ETIMEDOUT' });
		expect(signal?.aborted).toBe(true);
	});

	it('is closed if it begins after the deadline', async () => {
		const late = new Readable({ read() {} });
		let begin: (response: unknown) => void = () => {};
		const call = requestWithin(
			async () => await new Promise((resolve) => (begin = resolve)),
			REQUEST,
			SHORT,
		);
		await expect(call).rejects.toMatchObject({ code: 'ETIMEDOUT' });
		begin(answer(late));
		await new Promise((resolve) => late.once('close', resolve));
	});
});

describe('a request', () => {
	it('accepts every status, follows no redirect, and is read as a stream', async () => {
		let sent: IHttpRequestOptions | undefined;
		await requestWithin(
			async (options) => {
				sent = { ...options };
				return answer('');
			},
			{ ...REQUEST, method: 'POST', body: { a: 1 } },
		);
		expect(sent).toMatchObject({
			...REQUEST,
			method: 'POST',
			body: { a: 1 },
			encoding: 'stream',
			ignoreHttpStatusErrors: true,
			disableFollowRedirect: true,
			timeout: CALL_LIMITS.deadlineMs,
		});
	});

	it('ends with the execution that n8n cancels', async () => {
		const execution = new AbortController();
		let signal: IHttpRequestOptions['abortSignal'];
		const call = requestWithin(async (options) => {
			// As n8n does in a run.
			options.abortSignal = execution.signal;
			signal = { ...options }.abortSignal;
			return answer('');
		}, REQUEST);
		execution.abort();
		expect(signal?.aborted).toBe(true);
		await call;
	});
});
