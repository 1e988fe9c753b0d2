import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

import express from 'express';
import { z } from 'zod';

import { listen, stop } from '../../testkit/loopback';
import { PERCHES, PIGEONS } from './fifthProvider';

/** A webhook endpoint as Pigeon Post stores it. */
export interface Perch {
	readonly id: string;
	url: string;
	/** Separated by commas, as on the wire. */
	events: string;
	active: boolean;
	readonly secret: string;
}

/** Hits the next request with this method. */
export interface LoftFault {
	readonly method: string;
	/** The answer; without it the connection ends unanswered after the request has taken effect. */
	readonly status?: number;
}

/** The running API of Pigeon Post. */
export interface Loft {
	readonly url: string;
	readonly key: string;
	readonly perches: Perch[];
	/** Rings of the pigeons that live there. */
	readonly pigeons: string[];
	/** `METHOD /path?query status` of every answer. */
	readonly answers: readonly string[];
	add(url: string): Perch;
	fault(fault: LoftFault): void;
	reset(): void;
	close(): Promise<void>;
}

const bodySchema = z.object({
	url: z.string().url().optional(),
	events: z.string().min(1).optional(),
	active: z.boolean().optional(),
});
const pageSchema = z.object({ offset: z.coerce.number(), max: z.coerce.number() });

/** Starts the stand-in on a free port of this machine. */
export async function startLoft(): Promise<Loft> {
	const perches: Perch[] = [];
	const pigeons: string[] = [];
	const answers: string[] = [];
	const faults: LoftFault[] = [];
	const key = `pigeon_${randomBytes(8).toString('hex')}`;

	function add(url: string, events = 'letter.lost'): Perch {
		const [id, secret] = [randomBytes(6).toString('hex'), randomBytes(16).toString('hex')];
		const perch = { id, url, events, active: true, secret };
		perches.push(perch);
		return perch;
	}

	const app = express();
	app.use(express.json());
	app.use((request, response, next) => {
		response.on('finish', () =>
			answers.push(`${request.method} ${request.originalUrl} ${response.statusCode}`),
		);
		const index = faults.findIndex(({ method }) => method === request.method);
		const [fault] = index === -1 ? [] : faults.splice(index, 1);
		if (fault?.status !== undefined) return void response.status(fault.status).json({ oh: 'no' });
		if (request.headers['x-pigeon-key'] !== key) return void response.status(401).end();
		// The request takes effect, but its answer is lost.
		if (fault !== undefined) response.json = () => (response.destroy(), response);
		next();
	});
	app.get(PERCHES, ({ query }, response) => {
		const { offset, max } = pageSchema.parse(query);
		const items = perches.slice(offset, offset + max).map((perch) => ({ endpoint: shown(perch) }));
		response.json({ success: true, data: { total: perches.length, items } });
	});
	app.get(PIGEONS, ({ query }, response) => {
		const { offset, max } = pageSchema.parse(query);
		response.json({ pigeons: pigeons.slice(offset, offset + max).map((ring) => ({ ring })) });
	});
	app.post(PERCHES, ({ body }, response) => {
		const { url, events } = bodySchema.required({ url: true, events: true }).parse(body);
		const { secret, ...perch } = add(url, events);
		response.status(201).json({ ok: true, data: { endpoint: perch }, signingSecret: secret });
	});
	app.put(PERCHES, ({ query, body }, response) => {
		const perch = perches.find(({ id }) => id === query['id']);
		if (perch === undefined) return void response.status(404).json({ oh: 'no such perch' });
		response.json({ data: { endpoint: shown(Object.assign(perch, bodySchema.parse(body))) } });
	});
	app.delete(PERCHES, ({ query }, response) => {
		const index = perches.findIndex(({ id }) => id === query['id']);
		if (index === -1) return void response.status(404).json({ oh: 'no such perch' });
		perches.splice(index, 1);
		response.status(204).end();
	});

	const server = createServer(app);
	return {
		url: await listen(server),
		key,
		perches,
		pigeons,
		answers,
		add,
		fault: (fault) => faults.push(fault),
		reset: () => {
			for (const list of [perches, pigeons, answers, faults]) list.splice(0);
		},
		close: async () => await stop(server),
	};
}

/** Without the secret, which only the answer to the create has. */
function shown({ id, url, events, active }: Perch) {
	return { id, url, events, active };
}
