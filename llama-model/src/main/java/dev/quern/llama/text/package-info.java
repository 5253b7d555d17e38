/// What the readers of model files share: text out of files made safe for messages, and strict
/// JSON. Internal: not exported.
package dev.quern.llama.text;
