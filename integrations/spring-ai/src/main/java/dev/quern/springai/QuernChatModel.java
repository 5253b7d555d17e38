package dev.quern.springai;

import dev.quern.llama.LlamaModel;
import dev.quern.llama.chat.ChatCompletion;
import dev.quern.llama.chat.ChatEngine;
import dev.quern.llama.chat.ChatRequest;
import dev.quern.llama.error.RequestException;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.contextpropagation.ObservationThreadLocalAccessor;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.model.MessageAggregator;
import org.springframework.ai.chat.observation.ChatModelObservationContext;
import org.springframework.ai.chat.observation.ChatModelObservationConvention;
import org.springframework.ai.chat.observation.ChatModelObservationDocumentation;
import org.springframework.ai.chat.observation.DefaultChatModelObservationConvention;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.model.tool.ToolCallingManager;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxSink;

/// Spring AI's chat model on a [ChatEngine], which runs many prompts at once. Any thread may call
/// it. Tools are called by Spring AI's `ChatClient` (`ToolCallingAdvisor`), as with all models of
/// Spring AI 2; a JSON schema in the options is kept to token by token.
///
/// ```java
/// try (LlamaModel model = LlamaModel.load(Path.of("model.gguf"));
///     Engine engine = model.newEngine(EngineOptions.defaults())) {
///   ChatModel chat = QuernChatModel.builder(model, new ChatEngine(model, engine)).build();
///   System.out.println(chat.call("Why is the sky blue?"));
/// }
/// ```
///
/// What is asked for runs, or is refused before anything is run: options of another model or with a
/// value out of range, images, a schema that can't be kept to, tools that the chat template has no
/// place for. It closes nothing.
///
/// @since 0.1
/// @stability api
public final class QuernChatModel implements ChatModel {
  /// What observations have in `gen_ai.provider.name`.
  public static final String PROVIDER = "quern";

  /// In a response's metadata: which providers run the model's operators, in one line.
  public static final String KERNELS = "quern.kernels";

  /// In a response's metadata: the name of a [dev.quern.llama.StopReason], which says more than the
  /// finish reason does.
  public static final String STOP_REASON = "quern.stop-reason";

  /// In a response's metadata: a [java.time.Duration]; absent where nothing was said.
  public static final String TIME_TO_FIRST_TOKEN = "quern.time-to-first-token";

  /// In a reply's message's metadata: what the model thought before it spoke, as Spring AI's OpenAI
  /// models call it; absent where it did not. A stream has it in its last response.
  public static final String REASONING = "reasoningContent";

  private static final ChatModelObservationConvention DEFAULT_CONVENTION =
      new DefaultChatModelObservationConvention();

  private final LlamaModel model;
  private final ChatEngine engine;
  private final String name;
  private final QuernChatOptions options;
  private final ObservationRegistry observations;
  private final PromptRequests requests;
  private ChatModelObservationConvention convention = DEFAULT_CONVENTION;

  private QuernChatModel(Builder builder) {
    model = builder.model;
    engine = builder.engine;
    name = builder.name;
    options = builder.options.mutate().model(name).build();
    observations = builder.observations;
    requests = new PromptRequests(model, name, builder.tools);
  }

  public static Builder builder(LlamaModel model, ChatEngine engine) {
    return new Builder(model, engine);
  }

  /// What observations are called, in place of Spring AI's own convention.
  public void setObservationConvention(ChatModelObservationConvention convention) {
    this.convention = Objects.requireNonNull(convention, "convention");
  }

  /// What prompts without options are run with.
  @Override
  public QuernChatOptions getOptions() {
    return options;
  }

  /// Waits for the whole reply. An interrupt ends the request.
  ///
  /// @throws RequestException if the options are another model's, or a message has media
  /// @throws dev.quern.QuernException if it can't be run; [dev.quern.QuernException#blame()] says
  ///   whether that is the prompt's fault, and whether it may be tried again
  /// @throws CancellationException if this thread is interrupted
  @Override
  public ChatResponse call(Prompt prompt) {
    Prompt complete = requests.complete(prompt, options);
    ChatModelObservationContext context = context(complete, false);
    return observation(context)
        .observe(() -> {
          ChatResponse response = run(requests.request(complete));
          context.setResponse(response);
          return response;
        });
  }

  private ChatResponse run(ChatRequest request) {
    ChatCompletion completion = engine.submit(request, _ -> {});
    try {
      return responses().whole(completion.await());
    } catch (InterruptedException e) {
      completion.cancel();
      Thread.currentThread().interrupt();
      CancellationException cancelled = new CancellationException("chat: interrupted");
      cancelled.initCause(e);
      throw cancelled;
    }
  }

  /// The reply as it comes, and behind it a response without text that has tool calls, the finish
  /// reason and the usage. Runs once for each subscriber, on a virtual thread; a slow subscriber
  /// holds up nobody, and who cancels frees the sequence before the engine's next step. Errors are
  /// those of [#call(Prompt)], told to the subscriber.
  @Override
  public Flux<ChatResponse> stream(Prompt prompt) {
    return Flux.deferContextual(subscriber -> {
      Prompt complete = requests.complete(prompt, options);
      ChatModelObservationContext context = context(complete, true);
      Observation observation = observation(context);
      @Nullable Observation parent =
          subscriber.getOrDefault(ObservationThreadLocalAccessor.KEY, null);
      observation.parentObservation(parent);
      observation.start();
      Flux<ChatResponse> responses =
          Flux.<ChatResponse>create(sink -> start(complete, sink))
              .doOnError(observation::error)
              .doFinally(_ -> observation.stop())
              .contextWrite(c -> c.put(ObservationThreadLocalAccessor.KEY, observation));
      return new MessageAggregator().aggregate(responses, context::setResponse);
    });
  }

  /// Off the subscriber's thread, which may be one that must not wait.
  ///
  /// @param sink keeps what nobody has asked for yet: at most the context's tokens
  private void start(Prompt complete, FluxSink<ChatResponse> sink) {
    Thread.ofVirtual()
        .name("quern-stream")
        .start(() -> {
          ReplyResponses responses = responses();
          try {
            ChatCompletion completion =
                engine.submit(
                    requests.request(complete),
                    piece -> {
                      if (!piece.text().isEmpty()) {
                        sink.next(responses.piece(piece.text()));
                      }
                    });
            sink.onDispose(completion::cancel); // at once where it was cancelled before
            sink.next(responses.end(completion.await()));
            sink.complete();
          } catch (Throwable t) { // told to the subscriber, who would wait for ever
            sink.error(t);
          }
        });
  }

  private ReplyResponses responses() {
    return new ReplyResponses(name, model.report().summary());
  }

  private ChatModelObservationContext context(Prompt complete, boolean streaming) {
    return ChatModelObservationContext.builder()
        .prompt(complete)
        .provider(PROVIDER)
        .streaming(streaming)
        .build();
  }

  private Observation observation(ChatModelObservationContext context) {
    return ChatModelObservationDocumentation.CHAT_MODEL_OPERATION.observation(
        convention, DEFAULT_CONVENTION, () -> context, observations);
  }

  /// Makes a chat model.
  public static final class Builder {
    private final LlamaModel model;
    private final ChatEngine engine;
    private String name = PROVIDER;
    private QuernChatOptions options = QuernChatOptions.builder().build();
    private ToolCallingManager tools = ToolCallingManager.builder().build();
    private ObservationRegistry observations = ObservationRegistry.NOOP;

    private Builder(LlamaModel model, ChatEngine engine) {
      this.model = Objects.requireNonNull(model, "model");
      this.engine = Objects.requireNonNull(engine, "engine");
    }

    /// What responses and observations call the model, and prompts may; `quern` by default.
    public Builder name(String name) {
      this.name = Objects.requireNonNull(name, "name");
      return this;
    }

    /// What prompts without options are run with.
    public Builder options(QuernChatOptions options) {
      this.options = Objects.requireNonNull(options, "options");
      return this;
    }

    /// Who finds the definitions of tools.
    public Builder toolCallingManager(ToolCallingManager tools) {
      this.tools = Objects.requireNonNull(tools, "tools");
      return this;
    }

    public Builder observationRegistry(ObservationRegistry observations) {
      this.observations = Objects.requireNonNull(observations, "observations");
      return this;
    }

    public QuernChatModel build() {
      return new QuernChatModel(this);
    }
  }
}
