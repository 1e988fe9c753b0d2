import type { EndpointInput, ProviderId, SandboxEndpoint } from './types';

/** New values; undefined keeps the old one. */
export interface EndpointPatch {
	url?: string | undefined;
	events?: readonly string[] | undefined;
	active?: boolean | undefined;
}

/** How a provider makes endpoints. */
export interface AccountRules {
	readonly id: ProviderId;
	/** One secret for all endpoints, as Misar.Blog has. */
	readonly sharedSecret?: boolean;
	newEndpointId(sequence: number): string;
	newSecret(): string;
}

/** The endpoints of one provider's account. */
export class AccountEndpoints {
	private readonly byId = new Map<string, SandboxEndpoint>();
	private sequence = 0;
	private limit: number | undefined;
	private accountSecret: string;

	constructor(
		private readonly provider: AccountRules,
		private readonly onChange: () => void,
	) {
		this.accountSecret = provider.newSecret();
	}

	list(): SandboxEndpoint[] {
		return [...this.byId.values()];
	}

	find(id: string): SandboxEndpoint | undefined {
		return this.byId.get(id);
	}

	/** Whether the account's maximum is reached. */
	isFull(): boolean {
		return this.limit !== undefined && this.byId.size >= this.limit;
	}

	setLimit(limit: number | undefined): void {
		this.limit = limit;
	}

	/** Stores an endpoint; `secret: null` makes one without a secret. */
	add(
		input: Omit<EndpointInput, 'secret'> & { secret?: string | null; description?: string },
	): SandboxEndpoint {
		this.sequence += 1;
		const secret = input.secret === undefined ? this.newSecret() : input.secret;
		const endpoint: SandboxEndpoint = {
			id: this.provider.newEndpointId(this.sequence),
			provider: this.provider.id,
			url: input.url,
			events: [...input.events],
			active: input.active ?? true,
			createdAt: new Date().toISOString(),
			consecutiveFailures: 0,
			...(secret === null ? {} : { secret }),
			...(input.description === undefined ? {} : { description: input.description }),
		};
		this.byId.set(endpoint.id, endpoint);
		this.onChange();
		return endpoint;
	}

	/** Throws when there is no such endpoint. */
	change(id: string, { url, events, active }: EndpointPatch): SandboxEndpoint {
		const endpoint = this.need(id);
		if (url !== undefined) endpoint.url = url;
		if (events !== undefined) endpoint.events = [...events];
		if (active !== undefined) {
			// Switching it on again resets the failure count.
			if (active && !endpoint.active) endpoint.consecutiveFailures = 0;
			endpoint.active = active;
		}
		this.onChange();
		return endpoint;
	}

	/** Throws when there is no such endpoint. */
	remove(id: string): void {
		this.need(id);
		this.byId.delete(id);
		this.onChange();
	}

	/** Issues a new secret, and returns it. Throws when there is no such endpoint. */
	rotateSecret(id: string): string {
		const endpoint = this.need(id);
		const secret = this.provider.newSecret();
		if (this.provider.sharedSecret) {
			this.accountSecret = secret;
			for (const each of this.byId.values()) each.secret = secret;
		} else endpoint.secret = secret;
		this.onChange();
		return secret;
	}

	clear(): void {
		this.byId.clear();
		this.sequence = 0;
		this.limit = undefined;
	}

	private need(id: string): SandboxEndpoint {
		const endpoint = this.byId.get(id);
		if (!endpoint) throw new Error(`${this.provider.id} has no endpoint ${id}`);
		return endpoint;
	}

	private newSecret(): string {
		return this.provider.sharedSecret ? this.accountSecret : this.provider.newSecret();
	}
}

/** A copy that its reader may change without changing the account. */
export function copyEndpoint(endpoint: SandboxEndpoint): SandboxEndpoint {
	return { ...endpoint, events: [...endpoint.events] };
}

/** All accounts. */
export class EndpointStore {
	private readonly accounts: ReadonlyMap<ProviderId, AccountEndpoints>;

	constructor(providers: readonly AccountRules[], onChange: () => void) {
		this.accounts = new Map(
			providers.map((provider) => [provider.id, new AccountEndpoints(provider, onChange)]),
		);
	}

	of(provider: ProviderId): AccountEndpoints {
		const account = this.accounts.get(provider);
		if (!account) throw new Error(`Unknown provider ${provider}`);
		return account;
	}

	all(): SandboxEndpoint[] {
		return [...this.accounts.values()].flatMap((account) => account.list());
	}

	clear(): void {
		for (const account of this.accounts.values()) account.clear();
	}
}
