import type { Account, CatalogueEntry } from '../types.js';
import { control } from './api.js';
import { Copy } from './copy.js';
import type { Tell } from './notice.js';

interface CredentialsProps {
	account: Account;
	providers: readonly CatalogueEntry[];
	tell: Tell;
}

/** What to enter in the n8n credentials. */
export function Credentials({ account, providers, tell }: CredentialsProps) {
	async function replace({ provider, title }: CatalogueEntry): Promise<void> {
		tell(
			await control('POST', `/keys/${provider}`),
			`${title} has a new API key, and refuses the old one.`,
		);
	}
	return (
		<section aria-labelledby="credentials">
			<h2 id="credentials">For the n8n credentials</h2>
			<p class="row">
				Base URL: <code>{location.origin}</code>
				<Copy text={location.origin} what="the Base URL" tell={tell} />
			</p>
			<ul class="cards">
				{providers.map((provider) => (
					<li key={provider.provider}>
						<h3>{provider.title}</h3>
						<p class="row">
							API key: <code>{account.keys[provider.provider]}</code>
							<Copy
								text={account.keys[provider.provider]}
								what={`the API key of ${provider.title}`}
								tell={tell}
							/>
							<button
								type="button"
								onClick={() => void replace(provider)}
								aria-label={`Issue a new key for ${provider.title}`}
							>
								Issue a new key
							</button>
						</p>
					</li>
				))}
			</ul>
		</section>
	);
}
