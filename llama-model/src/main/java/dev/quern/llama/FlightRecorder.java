package dev.quern.llama;

import dev.quern.Operator;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/// What JDK Flight Recorder can hear of a model: kernel calls, forward passes and tokens. All are
/// off until a recording enables them (docs/profiling.md); off, a kernel call costs a look at a
/// flag.
final class FlightRecorder {
  /// Kernels whose calls are events.
  static final ObservedKernels<KernelCallEvent> KERNELS = new ObservedKernels<>(new Recorder());

  private FlightRecorder() {}

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
  static final class ForwardPassEvent extends Event {
    @Label("Position")
    @Description("Of the first token")
    int position;

    @Label("Rows")
    int rows;

    void finish(int position, int rows) {
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
  static final class TokenEvent extends Event {
    @Label("Token")
    @Description("Id in the vocabulary")
    int token;

    @Label("Position")
    @Description("Tokens in the cache afterwards")
    int position;

    void finish(int token, int position) {
      this.token = token;
      this.position = position;
      commit();
    }
  }

  private static final class Recorder implements ObservedKernels.Observer<KernelCallEvent> {
    private final KernelCallEvent probe = new KernelCallEvent();

    /// An event that has begun; null where nobody wants it.
    @Override
    public KernelCallEvent begin() {
      if (!probe.isEnabled()) {
        return null;
      }
      KernelCallEvent event = new KernelCallEvent();
      event.begin();
      return event;
    }

    @Override
    public void end(KernelCallEvent event, Operator operator, int rows) {
      if (event != null) {
        event.operator = operator.id();
        event.rows = rows;
        event.commit();
      }
    }
  }
}
