package dev.quern.llama.observe;

import dev.quern.Operator;
import java.util.function.Supplier;
import jdk.jfr.Category;
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
