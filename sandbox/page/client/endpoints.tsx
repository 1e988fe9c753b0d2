import { useRef } from 'preact/hooks';
import type { SandboxEndpoint } from '../../types.js';
import type { Account, CatalogueEntry } from '../types.js';
import { control, endpointPath } from './api.js';
import { Copy } from './copy.js';
import type { Tell } from './notice.js';

interface EndpointsProps {
	account: Account;
	providers: readonly CatalogueEntry[];
	tell: Tell;
	/** Selects an endpoint in the form for an event. */
	onUse(endpoint: SandboxEndpoint): void;
}

/** The endpoints of every provider, with what the provider can do to each. */
export function Endpoints({ account, providers, tell, onUse }: EndpointsProps) {
	const heading = useRef<HTMLHeadingElement>(null);
	const groups = providers
		.map(({ provider, title }) => ({
			title,
			endpoints: account.endpoints.filter((endpoint) => endpoint.provider === provider),
		}))
		.filter(({ endpoints }) => endpoints.length > 0);

	return (
		<section aria-labelledby="endpoints">
			<h2 id="endpoints" tabIndex={-1} ref={heading}>
				Endpoints
			</h2>
			{groups.length === 0 && (
				<p>None is registered. Publish a workflow with a trigger, and its endpoint appears here.</p>
			)}
			{groups.map(({ title, endpoints }) => (
				<div key={title}>
					<h3>{title}</h3>
					<ul class="cards">
						{endpoints.map((endpoint) => (
							<Endpoint
								key={endpoint.id}
								endpoint={endpoint}
								tell={tell}
								onUse={onUse}
								// Its button is gone: move the keyboard focus elsewhere.
								onDeleted={() => heading.current?.focus()}
							/>
						))}
					</ul>
				</div>
			))}
		</section>
	);
}

interface EndpointProps extends Pick<EndpointsProps, 'tell' | 'onUse'> {
	endpoint: SandboxEndpoint;
	onDeleted(): void;
}

function Endpoint({ endpoint, tell, onUse, onDeleted }: EndpointProps) {
	const { id, url, events, active, secret, consecutiveFailures } = endpoint;
	const path = endpointPath(endpoint);
	const label = `of endpoint ${id}`;

	async function switchTo(on: boolean): Promise<void> {
		tell(
			await control('PATCH', path, { active: on }),
			`Endpoint ${id} is switched ${on ? 'on' : 'off'}.`,
		);
	}
	async function rotate(): Promise<void> {
		tell(
			await control<{ secret: string }>('POST', `${path}/secret`),
			`Endpoint ${id} has a new signing secret.`,
		);
	}
	async function remove(): Promise<void> {
		if (!confirm(`Delete endpoint ${id}? Its deliveries end.`)) return;
		tell(await control('DELETE', path), `Endpoint ${id} is deleted.`);
		onDeleted();
	}

	return (
		<li aria-label={`Endpoint ${id}`}>
			<details>
				<summary class="line">
					<span class={active ? 'badge good' : 'badge bad'}>{active ? 'on' : 'off'}</span>{' '}
					{events.join(', ')} <code>{url}</code>
				</summary>
				<dl>
					<dt>Id</dt>
					<dd>
						<code>{id}</code>
					</dd>
					<dt>Failures</dt>
					<dd>{consecutiveFailures === 0 ? 'none' : `${consecutiveFailures} in a row`}</dd>
					<dt>Secret</dt>
					<dd class="row">
						{secret === undefined ? (
							'none'
						) : (
							<>
								<code>{secret}</code>
								<Copy text={secret} what={`the signing secret ${label}`} tell={tell} />
							</>
						)}
					</dd>
				</dl>
				<div class="buttons">
					<button
						type="button"
						onClick={() => onUse(endpoint)}
						aria-label={`Use in form: endpoint ${id}`}
					>
						Use in form
					</button>
					<button
						type="button"
						onClick={() => void switchTo(!active)}
						aria-label={`Switch ${active ? 'off' : 'on'} endpoint ${id}`}
					>
						Switch {active ? 'off' : 'on'}
					</button>
					<button type="button" onClick={() => void rotate()} aria-label={`Rotate secret ${label}`}>
						Rotate secret
					</button>
					<button
						type="button"
						class="apart"
						onClick={() => void remove()}
						aria-label={`Delete endpoint ${id}`}
					>
						Delete
					</button>
				</div>
			</details>
		</li>
	);
}
