package dev.quern.llama;

import dev.quern.Operator;
import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.Task;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.AttentionKernel;
import dev.quern.op.LinearKernel;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RopeKernel;
import dev.quern.op.SwiGluKernel;
import java.util.concurrent.atomic.LongAdder;

/// Where a model's time goes: wall time inside kernel calls, by operator, and of that the time in
/// runs of several tasks, with what the threads really worked in them. What is left of a run's time
/// is the forward pass itself, sampling, and whatever else comes between kernels.
///
/// Given to [LoadOptions#withProfile] it decorates the kernels of one model; without it nothing is
/// wrapped. The decorators read the clock twice a call and twice a task, some 50 ns each time.
public final class KernelProfile {
  private final LongAdder[] nanos = new LongAdder[Operator.values().length]; // by ordinal

  private final LongAdder parallelNanos = new LongAdder();
  private final LongAdder taskNanos = new LongAdder();

  public KernelProfile() {
    for (int i = 0; i < nanos.length; i++) {
      nanos[i] = new LongAdder();
    }
  }

  /// Wall time inside the operator's kernels since the last [#reset()], checks of arguments
  /// included.
  public long nanos(Operator operator) {
    return nanos[operator.ordinal()].sum();
  }

  /// Wall time of the runs that kernels gave to the workers, from the first task's claim to the end
  /// of the join.
  public long parallelNanos() {
    return parallelNanos.sum();
  }

  /// Time inside tasks, summed over all threads. What [#parallelNanos()] times the number of
  /// threads has above it was spent on waking up and waiting for each other.
  public long taskNanos() {
    return taskNanos.sum();
  }

  /// Starts from zero. Only between runs.
  public void reset() {
    parallelNanos.reset();
    taskNanos.reset();
    for (LongAdder adder : nanos) {
      adder.reset();
    }
  }

  Workers timed(Workers workers) {
    return new Workers() {
      @Override
      public int parallelism() {
        return workers.parallelism();
      }

      @Override
      public void run(int tasks, Task body) {
        long start = System.nanoTime();
        workers.run(
            tasks,
            (task, worker) -> {
              long begun = System.nanoTime();
              body.run(task, worker);
              taskNanos.add(System.nanoTime() - begun);
            });
        parallelNanos.add(System.nanoTime() - start);
      }
    };
  }

  ForwardPass.Operators timed(ForwardPass.Operators o) {
    return new ForwardPass.Operators(
        timed(o.norm()),
        timed(o.ropeQueries()),
        timed(o.ropeKeys()),
        timed(o.attention()),
        timed(o.swiGlu()));
  }

  LlamaWeights timed(LlamaWeights weights) {
    return new LlamaWeights(
        weights.embedding(),
        weights.layers().stream()
            .map(l ->
                new LlamaWeights.Layer(
                    l.attentionNorm(),
                    timed(l.qkv()),
                    timed(l.attentionOutput()),
                    l.feedForwardNorm(),
                    timed(l.gateUp()),
                    timed(l.down())))
            .toList(),
        weights.outputNorm(),
        timed(weights.output()),
        weights.ropeFactors());
  }

  private Projection timed(Projection projection) {
    return projection.map(this::timed);
  }

  private void add(Operator operator, long start) {
    nanos[operator.ordinal()].add(System.nanoTime() - start);
  }

  private LinearKernel timed(LinearKernel kernel) {
    return new LinearKernel() {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return kernel.scratchBytes(rows, parallelism);
      }

      @Override
      public boolean retainsSource() {
        return kernel.retainsSource();
      }

      @Override
      public void apply(F32Matrix x, F32Matrix y, Workspace w) {
        long start = System.nanoTime();
        kernel.apply(x, y, w);
        add(Operator.LINEAR, start);
      }
    };
  }

  private AttentionKernel timed(AttentionKernel kernel) {
    return new AttentionKernel() {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return kernel.scratchBytes(rows, parallelism);
      }

      @Override
      public void append(F32Matrix k, F32Matrix v, KvCache cache, int position, Workspace w) {
        long start = System.nanoTime();
        kernel.append(k, v, cache, position, w);
        add(Operator.ATTENTION, start);
      }

      @Override
      public void apply(F32Matrix q, KvCache cache, int firstPosition, F32Matrix y, Workspace w) {
        long start = System.nanoTime();
        kernel.apply(q, cache, firstPosition, y, w);
        add(Operator.ATTENTION, start);
      }
    };
  }

  private RmsNormKernel timed(RmsNormKernel kernel) {
    return new RmsNormKernel() {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return kernel.scratchBytes(rows, parallelism);
      }

      @Override
      public void apply(F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {
        long start = System.nanoTime();
        kernel.apply(x, weight, y, w);
        add(Operator.RMSNORM, start);
      }
    };
  }

  private RopeKernel timed(RopeKernel kernel) {
    return new RopeKernel() {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return kernel.scratchBytes(rows, parallelism);
      }

      @Override
      public void apply(F32Matrix x, F32Matrix table, int firstPosition, Workspace w) {
        long start = System.nanoTime();
        kernel.apply(x, table, firstPosition, w);
        add(Operator.ROPE, start);
      }
    };
  }

  private SwiGluKernel timed(SwiGluKernel kernel) {
    return new SwiGluKernel() {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return kernel.scratchBytes(rows, parallelism);
      }

      @Override
      public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
        long start = System.nanoTime();
        kernel.apply(gate, up, y, w);
        add(Operator.SWIGLU, start);
      }
    };
  }
}
