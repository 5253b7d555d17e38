/// Models behind HTTP, in OpenAI's and Ollama's protocols: [dev.quern.serve.QuernServer] is where
/// to begin.
@SuppressWarnings("module") // dev.quern.cli is compiled later
module dev.quern.serve {
  requires com.fasterxml.jackson.databind;
  requires transitive dev.quern.llama;
  requires micrometer.core; // the libraries' automatic names
  requires micrometer.registry.prometheus;
  requires org.eclipse.jetty.http;
  requires org.eclipse.jetty.io;
  requires org.eclipse.jetty.server;
  requires org.eclipse.jetty.util;

  exports dev.quern.serve;
  exports dev.quern.serve.options;

  opens dev.quern.serve.openai to
      com.fasterxml.jackson.databind;
}
