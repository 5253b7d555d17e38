package dev.quern.llama.observe;

import dev.quern.Operator;
import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.SequenceRows;
import dev.quern.data.Workspace;
import dev.quern.llama.forward.ForwardPass;
import dev.quern.llama.forward.LlamaWeights;
import dev.quern.llama.forward.Projection;
import dev.quern.op.AttentionKernel;
import dev.quern.op.LinearKernel;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RopeKernel;
import dev.quern.op.SwiGluKernel;
import java.util.List;

/// Decorates a model's kernels, so that an observer hears of every call.
///
/// @param <T> what the observer keeps from a call's begin to its end
/// @param observer hears the calls, on the threads that make them
public record ObservedKernels<T>(Observer<T> observer) {
  /// Hears of calls of kernels.
  public interface Observer<T> {
    /// A call begins.
    T begin();

    /// It has ended; not called where it threw.
    ///
    /// @param begun what [#begin()] returned
    /// @param rows of the call
    void end(T begun, Operator<?, ?> operator, int rows);
  }

  public ForwardPass.Operators observed(ForwardPass.Operators o) {
    return new ForwardPass.Operators(
        observed(o.norm()),
        o.headNorms().map(norms -> norms.map(this::observed)),
        observed(o.ropeQueries()),
        observed(o.ropeKeys()),
        o.attention().map(this::observed),
        observed(o.swiGlu()));
  }

  public LlamaWeights observed(LlamaWeights weights) {
    return new LlamaWeights(
        weights.embedding(),
        weights.layers().stream()
            .map(l ->
                new LlamaWeights.Layer(
                    l.attentionNorm(),
                    observed(l.qkv()),
                    l.headNorms(),
                    l.attentionOutput().map(this::observed),
                    l.feedForwardNorm(),
                    observed(l.gateUp()),
                    l.down().map(this::observed)))
            .toList(),
        weights.outputNorm(),
        observed(weights.output()));
  }

  private Projection observed(Projection projection) {
    return projection.map(this::observed);
  }

  private LinearKernel observed(LinearKernel kernel) {
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
        T begun = observer.begin();
        kernel.apply(x, y, w);
        observer.end(begun, Operator.LINEAR, x.rows());
      }
    };
  }

  public AttentionKernel observed(AttentionKernel kernel) {
    return new AttentionKernel() {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return kernel.scratchBytes(rows, parallelism);
      }

      @Override
      public void append(F32Matrix k, F32Matrix v, KvCache cache, int position, Workspace w) {
        T begun = observer.begin();
        kernel.append(k, v, cache, position, w);
        observer.end(begun, Operator.ATTENTION, k.rows());
      }

      @Override
      public void apply(F32Matrix q, KvCache cache, int firstPosition, F32Matrix y, Workspace w) {
        T begun = observer.begin();
        kernel.apply(q, cache, firstPosition, y, w);
        observer.end(begun, Operator.ATTENTION, q.rows());
      }

      @Override
      public void append(F32Matrix k, F32Matrix v, List<SequenceRows> batch, Workspace w) {
        T begun = observer.begin();
        kernel.append(k, v, batch, w);
        observer.end(begun, Operator.ATTENTION, k.rows());
      }

      @Override
      public void apply(F32Matrix q, List<SequenceRows> batch, F32Matrix y, Workspace w) {
        T begun = observer.begin();
        kernel.apply(q, batch, y, w);
        observer.end(begun, Operator.ATTENTION, q.rows());
      }
    };
  }

  private RmsNormKernel observed(RmsNormKernel kernel) {
    return new RmsNormKernel() {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return kernel.scratchBytes(rows, parallelism);
      }

      @Override
      public void apply(F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {
        T begun = observer.begin();
        kernel.apply(x, weight, y, w);
        observer.end(begun, Operator.RMSNORM, x.rows());
      }
    };
  }

  private RopeKernel observed(RopeKernel kernel) {
    return new RopeKernel() {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return kernel.scratchBytes(rows, parallelism);
      }

      @Override
      public void apply(F32Matrix x, F32Matrix table, int firstPosition, Workspace w) {
        T begun = observer.begin();
        kernel.apply(x, table, firstPosition, w);
        observer.end(begun, Operator.ROPE, x.rows());
      }
    };
  }

  private SwiGluKernel observed(SwiGluKernel kernel) {
    return new SwiGluKernel() {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return kernel.scratchBytes(rows, parallelism);
      }

      @Override
      public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
        T begun = observer.begin();
        kernel.apply(gate, up, y, w);
        observer.end(begun, Operator.SWIGLU, y.rows());
      }
    };
  }
}
