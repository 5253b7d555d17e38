/// What a server is started with: where it listens and to whom, and which models it has.
package dev.quern.serve.options;
