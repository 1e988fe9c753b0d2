/**
 * Setting of an n8n whose expressions are not what is tested: n8n's default engine makes a V8 isolate for each
 * delivery, run and credential that is read, which takes more of the processor's time than all the rest of it.
 */
export const WITHOUT_ISOLATES = { N8N_EXPRESSION_ENGINE: 'legacy' };
