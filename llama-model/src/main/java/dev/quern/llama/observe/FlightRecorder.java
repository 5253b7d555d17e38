package dev.quern.llama.observe;

import dev.quern.Operator;
import java.util.function.Supplier;
import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/// What JDK Flight Recorder can hear of a model: kernel calls, forward passes and tokens. All are
/// off until a recording enables them (docs/profiling.md); off, a kernel call costs a look at a
/// flag. Where there never was a recording the event classes are not even loaded: registering the
/// first takes 80 ms of a cold JVM.
public final class FlightRecorder {
  /// Kernels whose calls are events.
  public static final ObservedKernels<KernelCallEvent> KERNELS =
      new ObservedKernels<>(new Recorder());

  private FlightRecorder() {}

  /// A forward pass that begins; null where there is no recording.
  public static ForwardPassEvent forwardPass() {
    return begun(ForwardPassEvent::new);
  }

  /// A token that is about to be sampled; null where there is no recording.
  public static TokenEvent token() {
    return begun(TokenEvent::new);
  }

  /// A step of an engine that begins; null where there is no recording.
  public static EngineStepEvent engineStep() {
    return begun(EngineStepEvent::new);
  }

  /// A request that is submitted to an engine; null where there is no recording.
  public static EngineRequestEvent engineRequest() {
    return begun(EngineRequestEvent::new);
  }

  private static <E extends Event> E begun(Supplier<E> make) {
    if (!jdk.jfr.FlightRecorder.isInitialized()) {
      return null;
    }
    E event = make.get();
    event.begin();
    return event;
  }

  @Name("dev.quern.KernelCall")
  @Label("Kernel Call")
  @Description("A call of a kernel, by the thread that waits for it")
  @Category("Quern")
  @StackTrace(false)
  @Enabled(false)
  static final class KernelCallEvent extends Event {
    @Label("Operator")
    String operator;

    @Label("Rows")
    @Description("Tokens at once: more than 1 while a prompt is processed")
    int rows;
  }

  @Name("dev.quern.ForwardPass")
  @Label("Forward Pass")
  @Description("All layers for one batch of tokens, without the output matrix")
  @Category("Quern")
  @StackTrace(false)
  @Enabled(false)
  public static final class ForwardPassEvent extends Event {
    @Label("Position")
    @Description("Of the first token")
    int position;

    @Label("Rows")
    int rows;

    public void finish(int position, int rows) {
      this.position = position;
      this.rows = rows;
      commit();
    }
  }

  @Name("dev.quern.Token")
  @Label("Token")
  @Description("A generated token: its logits, sampling, the caller's reaction, its forward pass")
  @Category("Quern")
  @StackTrace(false)
  @Enabled(false)
  public static final class TokenEvent extends Event {
    @Label("Token")
    @Description("Id in the vocabulary")
    int token;

    @Label("Position")
    @Description("Tokens in the cache afterwards")
    int position;

    public void finish(int token, int position) {
      this.token = token;
      this.position = position;
      commit();
    }
  }

  @Name("dev.quern.EngineStep")
  @Label("Engine Step")
  @Description("A step of an engine: a token of each sequence that decodes, and rows of prompts")
  @Category("Quern")
  @StackTrace(false)
  @Enabled(false)
  public static final class EngineStepEvent extends Event {
    @Label("Waiting")
    @Description("Requests in the queue")
    int waiting;

    @Label("Running")
    @Description("Sequences that share the engine")
    int running;

    @Label("Rows")
    @Description("Of the batch")
    int rows;

    @Label("Prompt Rows")
    @Description("Rows of prompts in the batch")
    int promptRows;

    @Label("Generated")
    @Description("Tokens that were chosen")
    int generated;

    @Label("Guessed")
    @Description("Tokens that were guessed")
    int guessed;

    @Label("Accepted")
    @Description("Guesses that were right")
    int accepted;

    @Label("KV Bytes")
    @Description("Of all KV caches, those that are kept for later prompts too")
    @DataAmount
    long kvBytes;

    public void finish(EngineStep step) {
      waiting = step.waiting();
      running = step.running();
      rows = step.rows();
      promptRows = step.prompts();
      generated = step.generated();
      guessed = step.guessed();
      accepted = step.accepted();
      kvBytes = step.kvBytes();
      commit();
    }
  }

  @Name("dev.quern.EngineRequest")
  @Label("Engine Request")
  @Description("A request of an engine, from its submission to its end")
  @Category("Quern")
  @StackTrace(false)
  @Enabled(false)
  public static final class EngineRequestEvent extends Event {
    @Label("Prompt Tokens")
    int promptTokens;

    @Label("Cached Tokens")
    @Description("Of the prompt, tokens that a KV cache had")
    int cachedTokens;

    @Label("Generated Tokens")
    int generatedTokens;

    @Label("End")
    @Description("Why it ended; FAILED where an exception ended it")
    String end;

    public void finish(int promptTokens, int cachedTokens, int generatedTokens, String end) {
      this.promptTokens = promptTokens;
      this.cachedTokens = cachedTokens;
      this.generatedTokens = generatedTokens;
      this.end = end;
      commit();
    }
  }

  private static final class Recorder implements ObservedKernels.Observer<KernelCallEvent> {
    /// A class of its own, so that it is loaded when first used.
    private static final class Probe {
      private static final KernelCallEvent EVENT = new KernelCallEvent();
    }

    /// An event that has begun; null where nobody wants it.
    @Override
    public KernelCallEvent begin() {
      return jdk.jfr.FlightRecorder.isInitialized() && Probe.EVENT.isEnabled()
          ? begun(KernelCallEvent::new)
          : null;
    }

    @Override
    public void end(KernelCallEvent event, Operator<?, ?> operator, int rows) {
      if (event != null) {
        event.operator = operator.id();
        event.rows = rows;
        event.commit();
      }
    }
  }
}
