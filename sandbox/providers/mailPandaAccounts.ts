import { z } from 'zod';
import { json, Refusal } from '../answers';
import type { Answer, ApiErrors, ApiRequest, ApiServices, KeyScope, Route } from '../provider';
import { randomId } from '../signing';
import { parseBody } from '../validation';
import { bearerScope } from './common';

const COOKIE = 'admin_token';
const SEVEN_DAYS = 7 * 24 * 3600;

interface ApiKey {
	id: number;
	name: string;
	key: string;
	createdAt: string;
}

/** Sessions and keys of an installation (mailpanda.io/docs/authentication and /docs/api-keys). */
export class MailPandaAccounts {
	readonly login = { email: 'admin@example.com', password: randomId('panda-', 8) };
	private readonly sessions = new Set<string>();
	private made: ApiKey[] = [];

	constructor(
		private readonly keys: ApiServices['keys'],
		private readonly errors: ApiErrors,
	) {}

	reset(): void {
		this.sessions.clear();
		this.made = [];
	}

	expireSessions(): void {
		this.sessions.clear();
	}

	hasSession({ headers }: ApiRequest): boolean {
		const cookies = (headers.cookie ?? '').split(';').map((pair) => pair.trim());
		const token = cookies.find((pair) => pair.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1);
		return token !== undefined && this.sessions.has(token);
	}

	/** By API key, the ones made through `/api/keys` included. */
	keyScope(request: ApiRequest): KeyScope | undefined {
		const scope = bearerScope(request, this.keys);
		if (scope) return scope;
		const made = this.made.some(({ key }) => request.headers.authorization === `Bearer ${key}`);
		return made ? 'full' : undefined;
	}

	readonly routes: readonly Route[] = [
		{
			method: 'POST',
			path: '/api/auth',
			open: true,
			handle: ({ body }) => this.signIn(body),
		},
		{
			method: 'GET',
			path: '/api/keys',
			handle: () => json(200, { keys: this.listKeys() }),
		},
		{
			method: 'POST',
			path: '/api/keys',
			handle: ({ body }) => this.makeKey(body),
		},
	];

	private signIn(body: unknown): Answer {
		const login = z.object({
			// Sign-up shares the path; this installation has its administrator.
			action: z.literal('login'),
			email: z.string().min(1),
			password: z.string().min(1),
		});
		const { email, password } = parseBody(login, body, this.errors);
		if (email !== this.login.email || password !== this.login.password) {
			throw new Refusal(json(401, { error: 'Invalid email or password' }));
		}
		const token = randomId('', 24);
		this.sessions.add(token);
		const cookie = `${COOKIE}=${token}; Path=/; Max-Age=${SEVEN_DAYS}; HttpOnly; SameSite=Lax`;
		return json(200, { success: true, user: { email, name: null } }, { 'set-cookie': cookie });
	}

	private listKeys() {
		const seeded = {
			id: 1,
			name: 'Default',
			key: this.keys.full,
			createdAt: '2026-01-10T12:00:00Z',
		};
		return [seeded, ...this.made].map(({ id, name, key, createdAt }) => ({
			id,
			name,
			prefix: shown(key),
			created_at: createdAt,
			last_used: null,
		}));
	}

	private makeKey(body: unknown): Answer {
		const { name } = parseBody(z.object({ name: z.string().min(1) }), body, this.errors);
		const key = randomId('em_prod_', 24);
		const createdAt = new Date().toISOString();
		this.made.push({ id: this.made.length + 2, name, key, createdAt });
		return json(200, { key, prefix: shown(key) });
	}
}

/** The part of a key that stays visible. */
function shown(key: string): string {
	return `${key.slice(0, 12)}…`;
}
