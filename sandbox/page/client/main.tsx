import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { CatalogueEntry } from '../types.js';
import { control } from './api.js';
import { Credentials } from './credentials.js';
import { emptyDraft } from './draft.js';
import { Endpoints } from './endpoints.js';
import { Faults } from './faults.js';
import { FireForm, focusFireForm } from './fire.js';
import { useNotice } from './notice.js';
import { useSandbox } from './store.js';
import { Newest, Timeline } from './timeline.js';

function App() {
	const { connected, account, entries } = useSandbox();
	const [providers, setProviders] = useState<readonly CatalogueEntry[]>([]);
	const [draft, setDraft] = useState(emptyDraft);
	const { notice, tell } = useNotice();

	useEffect(() => {
		if (!connected) return;
		void control<CatalogueEntry[]>('GET', '/catalogue').then((outcome) => {
			if ('answer' in outcome) setProviders(outcome.answer);
		});
	}, [connected]);

	return (
		<>
			<a class="skip" href="#timeline">
				Skip to the timeline
			</a>
			<header>
				<h1>Webhook sandbox</h1>
				<p role="status" class={connected ? 'connection on' : 'connection'}>
					{connected ? 'Connected' : 'Not connected, trying again'}
				</p>
			</header>
			{notice}
			{account !== undefined && providers.length > 0 && (
				<main>
					<FireForm
						account={account}
						providers={providers}
						draft={draft}
						change={(fields) => setDraft((before) => ({ ...before, ...fields }))}
						tell={tell}
					>
						<Newest entries={entries} providers={providers} />
					</FireForm>
					<Timeline entries={entries} providers={providers} />
					<Endpoints
						account={account}
						providers={providers}
						tell={tell}
						onUse={({ provider, id, events }) => {
							setDraft({ ...draft, provider, event: events[0] ?? draft.event, target: id });
							focusFireForm();
						}}
					/>
					<Faults account={account} providers={providers} tell={tell} />
					<Credentials account={account} providers={providers} tell={tell} />
				</main>
			)}
		</>
	);
}

render(<App />, document.body);
