package dev.quern.cli.serve;

import dev.quern.cli.console.Console;
import dev.quern.cli.console.ConsoleCommand;
import dev.quern.cli.console.UserException;
import dev.quern.cli.model.LoadingOptions;
import dev.quern.cli.model.ModelOptions;
import dev.quern.cli.text.GuessOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `quern serve`: models behind HTTP. This class names nothing of the server, which lies on a
/// module path of its own; [ServeRun] does.
@Command(
    name = "serve",
    description = "Serves models over HTTP, in OpenAI's and Ollama's protocols.",
    footer = {
      "",
      "Ends on SIGTERM and SIGINT (Ctrl-C): see --drain.",
      "Try: quern serve, and then: curl http://127.0.0.1:8080/v1/completions -H 'Content-Type: application/json' -d '{\"prompt\": \"Once upon a time\", \"max_tokens\": 100}'"
    })
public final class ServeCommand extends ConsoleCommand {
  /// The options that say which models there are.
  static final class Serving extends LoadingOptions {
    @Option(
        names = {"-m", "--model"},
        paramLabel = "[NAME=]PATH",
        description = {
          ModelOptions.MODEL,
          "It is named as the file is, or NAME. May be given several times: the first is loaded at the start, and the others when a request names them."
        })
    List<String> models = new ArrayList<>();

    Serving() {}
  }

  @Option(
      names = "--host",
      paramLabel = "NAME",
      description =
          "Name or address to listen on. Default: ${DEFAULT-VALUE}, which this machine alone reaches.")
  String host = "127.0.0.1";

  @Option(
      names = "--port",
      paramLabel = "N",
      description = "Port; 0: any that is free. Default: ${DEFAULT-VALUE}.")
  int port = 8080;

  @Mixin Serving serving;

  @Option(
      names = "--parallel",
      paramLabel = "N",
      description =
          "Most requests of a model that run at once, each with a KV cache of the context. Default: ${DEFAULT-VALUE}.")
  int parallel = 4;

  @Option(
      names = "--queue",
      paramLabel = "N",
      description =
          "Most requests of a model that wait; more are refused (429). Default: ${DEFAULT-VALUE}.")
  int queue = 64;

  @Mixin GuessOptions guesses;

  @Option(
      names = "--memory",
      paramLabel = "BYTES",
      converter = ByteCount.class,
      description =
          "Most memory of models that are loaded at once, with their KV caches, such as 8G: who was asked for longest ago makes room. Default: what the machine has.")
  Long memory;

  @Option(
      names = "--deadline",
      paramLabel = "SECONDS",
      description =
          "Longest time for a request, with waiting; 0: as long as it takes. Default: ${DEFAULT-VALUE}.")
  int deadline = 600;

  @Option(
      names = "--drain",
      paramLabel = "SECONDS",
      description =
          "How long requests that run may go on when the server is told to end. Default: ${DEFAULT-VALUE}.")
  int drain = 30;

  @Option(
      names = "--max-body",
      paramLabel = "BYTES",
      converter = ByteCount.class,
      description = "Largest body of a request. Default: 8 MB.")
  Long maxBody = 8_000_000L;

  @Option(
      names = "--connections",
      paramLabel = "N",
      description = "Most connections at once. Default: ${DEFAULT-VALUE}.")
  int connections = 512;

  @Option(
      names = "--idle",
      paramLabel = "SECONDS",
      description =
          "How long a connection may be still, and a request may take to come whole. Default: ${DEFAULT-VALUE}.")
  int idle = 30;

  @Option(
      names = "--api-keys",
      paramLabel = "FILE",
      description =
          "Keys, one a line (# begins a comment), of which requests must have one: Authorization: Bearer KEY. Default: none is asked for.")
  Path apiKeys;

  @Option(
      names = "--tls-cert",
      paramLabel = "FILE",
      description = "Certificate for HTTPS, and those that sign it, in PEM; with --tls-key.")
  Path tlsCertificate;

  @Option(
      names = "--tls-key",
      paramLabel = "FILE",
      description = "The certificate's key, an unencrypted PKCS #8 file in PEM.")
  Path tlsKey;

  @Option(
      names = "--cors",
      paramLabel = "ORIGIN",
      description =
          "A web page's origin that may ask, such as https://example.org; may be given several times. Default: none.")
  List<String> origins = new ArrayList<>();

  @Option(
      names = "--log-requests",
      description = "Print a line for each request that was answered.")
  boolean logRequests;

  @Option(
      names = "--training",
      hidden = true,
      description =
          "Answer what a server is asked first, and end: a training run of a class archive.")
  boolean training; // the launcher's business

  @CommandLine.Spec CommandLine.Model.CommandSpec spec;

  public ServeCommand(Console console) {
    super(console);
  }

  @Override
  public Integer call() throws IOException {
    guesses.contradiction().ifPresent(this::mistake);
    if ((tlsCertificate == null) != (tlsKey == null)) {
      mistake("--tls-cert and --tls-key: expected both, or none");
    }
    if (drain < 0) {
      mistake("--drain " + drain + ": expected seconds >= 0");
    }
    if (maxBody > Integer.MAX_VALUE) {
      mistake("--max-body: expected at most " + Integer.MAX_VALUE + " bytes");
    }
    if (guesses.draft().isPresent() && serving.models.size() > 1) {
      mistake("--draft: expected one --model, which it guesses for");
    }
    try {
      return new ServeRun(this).call();
    } catch (NoClassDefFoundError e) {
      if (String.valueOf(e.getMessage()).startsWith("dev/quern/serve/")) {
        throw new UserException(
            "the server is not on the path: start with the launcher ./quern, or add quern-serve (and on the module path --add-modules dev.quern.serve)",
            e);
      }
      throw e;
    }
  }

  Console console() {
    return console;
  }

  private void mistake(String problem) {
    throw new CommandLine.ParameterException(spec.commandLine(), problem);
  }
}
