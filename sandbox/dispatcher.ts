import { composeDelivery } from './delivery';
import type { EndpointStore } from './endpointStore';
import type { HappenedEvent, Provider } from './provider';
import { providers } from './providers';
import type { DeliveryJob, Sender } from './sender';
import type {
	Behaviour,
	DeliveryRecord,
	FireInput,
	ProviderId,
	SandboxEndpoint,
	Tried,
} from './types';

/** Where one delivery goes and what signs it. */
type Recipient = Pick<DeliveryJob, 'url' | 'secret' | 'endpoint'>;

/** Turns an event into deliveries to all subscribed endpoints. */
export class Dispatcher {
	constructor(
		private readonly endpoints: EndpointStore,
		private readonly sender: Sender,
		private readonly behaviourOf: (provider: ProviderId) => Partial<Behaviour>,
		private readonly record: (provider: ProviderId, event: HappenedEvent) => void,
	) {}

	/** See `Sandbox.fire`. */
	async fire(input: FireInput): Promise<DeliveryRecord[]> {
		return await Promise.all(this.begin(input));
	}

	/** Starts deliveries; throws at once for what `fire` rejects. */
	begin(input: FireInput, onTry?: (tried: Tried) => void): Array<Promise<DeliveryRecord>> {
		const provider = providers[input.provider];
		const delivery = composeDelivery(provider, input);
		// A forged event did not happen at the provider.
		if (input.tamper === undefined) this.record(provider.id, delivery);
		const retry = input.retry ?? input.tamper === undefined;
		const job = { provider, delivery, retry, behaviour: this.behaviourOf(provider.id) };
		const watched = onTry === undefined ? job : { ...job, onTry };
		const recipients = this.recipients(provider, input);
		const copies = Array.from({ length: input.copies ?? 1 }, () => recipients).flat();
		return copies.map(async (recipient) => await this.sender.send({ ...recipient, ...watched }));
	}

	private recipients(provider: Provider, input: FireInput): Recipient[] {
		if (input.url === undefined) {
			return this.endpointsFor(provider, input).map((endpoint) => ({
				endpoint,
				url: endpoint.url,
				secret: input.secret ?? endpoint.secret,
			}));
		}
		if (input.endpointId !== undefined) {
			throw new Error('Fire at a url or at an endpointId, not at both');
		}
		return [{ url: input.url, secret: input.secret }];
	}

	private endpointsFor(provider: Provider, { endpointId, event }: FireInput): SandboxEndpoint[] {
		const account = this.endpoints.of(provider.id);
		if (endpointId === undefined) {
			return account.list().filter((endpoint) => {
				const wants = provider.wants?.(endpoint, event) ?? endpoint.events.includes(event);
				return endpoint.active && wants;
			});
		}
		const endpoint = account.find(endpointId);
		if (!endpoint) throw new Error(`${provider.id} has no endpoint ${endpointId}`);
		return [endpoint];
	}
}
