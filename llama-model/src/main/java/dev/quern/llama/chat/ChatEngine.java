package dev.quern.llama.chat;

import dev.quern.llama.Completion;
import dev.quern.llama.Engine;
import dev.quern.llama.EngineRequest;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.constrain.Constraint;
import dev.quern.llama.error.RequestException;
import dev.quern.llama.tokenizer.ChatMessage;
import dev.quern.llama.tokenizer.ChatOptions;
import dev.quern.llama.tokenizer.ChatPrompt;
import dev.quern.llama.tokenizer.ChatTemplate;
import java.time.LocalDate;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Conversations over an [Engine]: the model's template writes the messages and the tools, and what
/// the model calls is read out of its reply.
///
/// ```java
/// ChatEngine chat = new ChatEngine(model, engine);
/// ChatRequest request =
///     ChatRequest.of(List.of(ChatMessage.user("Will it rain in Bonn?")), options)
///         .withTools(List.of(Tool.of("weather", "Tells the weather.", schema)));
/// ChatReply reply = chat.submit(request, piece -> System.out.print(piece.text())).await();
/// reply.toolCalls().forEach(call -> System.out.println(call.name() + call.argumentsJson()));
/// ```
///
/// How a model writes a call is learned from its template ([ToolFrame]), which is run with a trial
/// call; a model whose template can't write calls is given no tools. A call that is broken or cut
/// off is text. What a model thinks before it speaks, between `<think>` and `</think>`, is told
/// from its text where its template has that frame.
///
/// Any thread may use it. It ends with the engine.
///
/// @since 0.1
/// @stability api
public final class ChatEngine {
  private static final int MOST_FRAMES = 16;
  private static final int MOST_CONSTRAINTS = 32;

  /// What a constraint is about.
  private record Calls(ToolFrame frame, List<Tool> tools) {}

  /// A template, and what it tells of calls, by the variables it was asked with.
  private record Day(
      LocalDate date,
      ChatTemplate template,
      Map<Map<String, Object>, FrameLearner.Learned> frames) {
    Day(LocalDate date, ChatTemplate template) {
      this(date, template, new LinkedHashMap<>());
    }
  }

  private final LlamaModel model;
  private final Engine engine;
  private final boolean own; // the template is the model's, which tells the date
  private Day day; // guarded by this, like its frames

  /// Those that were used last; guarded by itself.
  private final Map<Calls, Constraint> constraints =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Calls, Constraint> eldest) {
          return size() > MOST_CONSTRAINTS;
        }
      };

  /// Conversations in the model's own template.
  ///
  /// @throws dev.quern.llama.tokenizer.TokenizerException if it has none, or one that can't be run
  public ChatEngine(LlamaModel model, Engine engine) {
    this(model, engine, model.chatTemplate(), true);
  }

  /// Conversations in another template.
  public ChatEngine(LlamaModel model, Engine engine, ChatTemplate template) {
    this(model, engine, template, false);
  }

  private ChatEngine(LlamaModel model, Engine engine, ChatTemplate template, boolean own) {
    this.model = model;
    this.engine = engine;
    this.own = own;
    day = new Day(LocalDate.now(), template);
  }

  /// Takes a request, and returns at once. What can't be done is refused here.
  ///
  /// @param listener hears the reply as it comes, on a thread of the request's own
  /// @throws RequestException if the template can't write tool calls and there are tools, or a call
  ///   is required and a tool's schema can't be kept to
  /// @throws dev.quern.llama.error.PromptException if the prompt does not fit
  /// @throws dev.quern.llama.tokenizer.TokenizerException if the template can't write the messages
  /// @throws dev.quern.llama.error.QueueFullException if as many requests wait as may
  /// @throws IllegalStateException if the engine or the model is closed
  public ChatCompletion submit(ChatRequest request, ChatListener listener) {
    ChatTemplate template = today().template();
    List<Tool> tools = request.offered();
    Optional<ToolFrame> frame =
        tools.isEmpty() ? Optional.empty() : Optional.of(frame(request.variables()));
    ChatOptions given =
        new ChatOptions(tools.stream().map(Tool::values).toList(), request.variables());
    ChatPrompt prompt = template.render(messages(request), given);
    GenerationOptions options = frame.map(f -> constrained(f, request)).orElse(request.options());
    int[] tokens = prompt.tokens();
    EngineRequest asked = EngineRequest.of(tokens, options);
    ReplyReader reader =
        new ReplyReader(model.tokenizer(), frame, thoughts(request, options, prompt), listener);
    Completion completion =
        engine.submitPieces(request.deadline().map(asked::withDeadline).orElse(asked), reader);
    return new ChatCompletion(completion, reader, tokens.length);
  }

  /// What is held to a form from its first token on has no thoughts.
  private Thoughts thoughts(ChatRequest request, GenerationOptions options, ChatPrompt prompt) {
    return request.thoughtsInText() || options.constraint().isPresent()
        ? Thoughts.NONE
        : Thoughts.of(today().template(), prompt);
  }

  /// How the model's template frames a tool call, for those who want to know before they ask.
  ///
  /// @return empty where the template can't write one, and tools are refused
  public Optional<String> toolFrame() {
    return learned(Map.of()).frame().map(ToolFrame::toString);
  }

  /// The messages, in the form that the template takes calls in.
  private List<ChatMessage> messages(ChatRequest request) {
    List<ChatMessage> messages = request.messages();
    if (messages.stream().noneMatch(ChatEngine::callsOnly)) {
      return messages;
    }
    Optional<String> content = learned(request.variables()).content();
    return messages.stream()
        .map(m -> callsOnly(m) ? new ChatMessage(m.role(), content, m.toolCalls(), m.fields()) : m)
        .toList();
  }

  private static boolean callsOnly(ChatMessage message) {
    return !message.toolCalls().isEmpty() && message.content().orElse("").isEmpty();
  }

  private ToolFrame frame(Map<String, Object> variables) {
    FrameLearner.Learned learned = learned(variables);
    return learned
        .frame()
        .orElseThrow(() ->
            new RequestException(
                "tools: this model's chat template can't write a tool call ("
                    + learned.refusal()
                    + "), expected none; ask without tools, or load a model that was trained with them"));
  }

  private FrameLearner.Learned learned(Map<String, Object> variables) {
    Day today = today();
    synchronized (this) {
      FrameLearner.Learned known = today.frames().get(variables);
      if (known != null) {
        return known;
      }
    }
    FrameLearner.Learned learned = FrameLearner.of(today.template(), model.tokenizer(), variables);
    synchronized (this) {
      if (today.frames().size() >= MOST_FRAMES) {
        today.frames().clear();
      }
      today.frames().put(variables, learned);
    }
    return learned;
  }

  private synchronized Day today() {
    LocalDate now = LocalDate.now();
    if (own && !day.date().equals(now)) {
      day = new Day(now, model.chatTemplate());
    }
    return day;
  }

  private GenerationOptions constrained(ToolFrame frame, ChatRequest request) {
    GenerationOptions options = request.options();
    return switch (request.choice()) {
      case ToolChoice.Named(String name) -> {
        List<Tool> one = request.tools().stream().filter(t -> t.name().equals(name)).toList();
        yield options.withConstraint(constraint(frame, one));
      }
      case ToolChoice.Mode mode when mode == ToolChoice.Mode.REQUIRED ->
          options.withConstraint(constraint(frame, request.tools()));
      default ->
          options
              .constraint()
              .map(text -> options.withConstraint(orCall(text, frame, request.tools())))
              .orElse(options);
    };
  }

  private Constraint orCall(Constraint text, ToolFrame frame, List<Tool> tools) {
    return Constraint.oneOf(List.of(text, constraint(frame, tools)));
  }

  /// That of a request before, if one was the same: a constraint keeps what it has worked out.
  private Constraint constraint(ToolFrame frame, List<Tool> tools) {
    Calls calls = new Calls(frame, tools);
    synchronized (constraints) {
      Constraint known = constraints.get(calls);
      if (known != null) {
        return known;
      }
    }
    Constraint made = frame.constraint(tools);
    synchronized (constraints) {
      constraints.put(calls, made);
    }
    return made;
  }
}
