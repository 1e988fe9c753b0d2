import { LAZY_ISOLATES } from '../../testkit/n8n-host/isolates';
import { TemplateHost } from '../e2e/templateHost';
import { killedRuns } from '../killed/killedRuns';
import { query } from './loadRuns';

killedRuns('SQLite', async () => {
	const host = await TemplateHost.start({ env: LAZY_ISOLATES });
	return {
		host,
		query: async (row, sql) => await query(host.n8n.userFolder, sql, row),
		stop: async () => await host.stop(),
	};
});
