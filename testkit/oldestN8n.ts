/** Set up before a test file that is to run in the oldest n8n the package supports: a folder of pins/. */
process.env['N8N_HOST_PIN'] = '1.x';
