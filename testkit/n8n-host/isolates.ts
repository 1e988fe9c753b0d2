/**
 * n8n's own settings to evaluate expressions in V8 isolates, as it does by default, but to make one only where there
 * is something to evaluate: by default it makes one for each delivery, run and credential that is read, which takes
 * more of the processor's time than all the rest of it. deploy/docker-compose.yml has them, too.
 */
export const LAZY_ISOLATES = {
	N8N_EXPRESSION_ENGINE_LAZY_ACQUIRE: 'true',
	N8N_EXPRESSION_ENGINE_COMPILE_CACHE: 'true',
};

/**
 * The same for tests that also run in n8n 1.x (testkit/oldestN8n.ts), which does not know these settings: there n8n
 * evaluates in its own process.
 */
export const FEW_ISOLATES: Record<string, string> =
	process.env['N8N_HOST_PIN'] === '1.x' ? { N8N_EXPRESSION_ENGINE: 'legacy' } : LAZY_ISOLATES;
