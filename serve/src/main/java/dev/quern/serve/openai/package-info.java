/// OpenAI's protocol: a class for each endpoint, records for what goes over the wire.
package dev.quern.serve.openai;
