package dev.quern.conformance.hostile;

import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.AttentionKernel;
import dev.quern.op.Kernel;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RopeKernel;
import dev.quern.op.SwiGluKernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.List;

/// Kernels that do what others do: a fault overrides one method of one of them, or is a lambda that
/// is handed the right kernel and the call.
final class Kernels {
  private Kernels() {}

  /// What is done in place of a call.
  interface LinearCall {
    void apply(LinearKernel right, F32Matrix x, F32Matrix y, Workspace w);
  }

  interface AttentionApply {
    void apply(
        AttentionKernel right, F32Matrix q, KvCache cache, int first, F32Matrix y, Workspace w);
  }

  interface AttentionAppend {
    void append(
        AttentionKernel right, F32Matrix k, F32Matrix v, KvCache cache, int position, Workspace w);
  }

  interface RmsNormCall {
    void apply(RmsNormKernel right, F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w);
  }

  interface RopeCall {
    void apply(RopeKernel right, F32Matrix x, F32Matrix table, int first, Workspace w);
  }

  interface SwiGluCall {
    void apply(SwiGluKernel right, F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w);
  }

  /// A packer whose kernels make each call in another way.
  static LinearPacker calls(LinearPacker packer, LinearCall fault) {
    return (stacked, packed, workers) ->
        new Linear(packer.pack(stacked, packed, workers)) {
          @Override
          public void apply(F32Matrix x, F32Matrix y, Workspace w) {
            fault.apply(right, x, y, w);
          }
        };
  }

  static AttentionKernel applies(AttentionKernel kernel, AttentionApply fault) {
    return new Attention(kernel) {
      @Override
      public void apply(F32Matrix q, KvCache cache, int first, F32Matrix y, Workspace w) {
        fault.apply(right, q, cache, first, y, w);
      }
    };
  }

  static AttentionKernel appends(AttentionKernel kernel, AttentionAppend fault) {
    return new Attention(kernel) {
      @Override
      public void append(F32Matrix k, F32Matrix v, KvCache cache, int position, Workspace w) {
        fault.append(right, k, v, cache, position, w);
      }
    };
  }

  static RmsNormKernel calls(RmsNormKernel kernel, RmsNormCall fault) {
    return new RmsNorm(kernel) {
      @Override
      public void apply(F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {
        fault.apply(right, x, weight, y, w);
      }
    };
  }

  static RopeKernel calls(RopeKernel kernel, RopeCall fault) {
    return new Rope(kernel) {
      @Override
      public void apply(F32Matrix x, F32Matrix table, int first, Workspace w) {
        fault.apply(right, x, table, first, w);
      }
    };
  }

  static SwiGluKernel calls(SwiGluKernel kernel, SwiGluCall fault) {
    return new SwiGlu(kernel) {
      @Override
      public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
        fault.apply(right, gate, up, y, w);
      }
    };
  }

  /// A packer that copies the weights into packed memory, as most providers do, and whose kernels
  /// read nothing else.
  static LinearPacker owning(LinearPacker packer) {
    return (stacked, packed, workers) ->
        new Linear(
            packer.pack(stacked.stream().map(m -> copy(m, packed)).toList(), packed, workers)) {
          @Override
          public boolean retainsSource() {
            return false;
          }
        };
  }

  /// A copy of a weight matrix.
  static WeightMatrix copy(WeightMatrix m, SegmentAllocator packed) {
    return new WeightMatrix(
        m.format(), copy(m.data(), packed), copy(m.scales(), packed), m.outputs(), m.inputs());
  }

  private static MemorySegment copy(MemorySegment from, SegmentAllocator packed) {
    return from.byteSize() == 0
        ? MemorySegment.NULL
        : packed.allocate(from.byteSize(), 64).copyFrom(from);
  }

  /// A dense copy of a matrix, in memory that the garbage collector frees.
  static F32Matrix copy(F32Matrix m) {
    F32Matrix copy = F32Matrix.allocate(Arena.ofAuto(), m.rows(), m.columns());
    copyInto(m, copy);
    return copy;
  }

  /// All elements of a matrix, to another of the same shape.
  static void copyInto(F32Matrix from, F32Matrix to) {
    for (int r = 0; r < from.rows(); r++) {
      MemorySegment.copy(
          from.data(),
          from.offsetBytes(r, 0),
          to.data(),
          to.offsetBytes(r, 0),
          (long) from.columns() * Float.BYTES);
    }
  }

  /// Whether two operands are the same memory: a call in place.
  static boolean same(F32Matrix a, F32Matrix b) {
    return a.data().address() == b.data().address();
  }

  /// The sum of squares of a row's columns, in the order in which the scalar kernel adds them.
  static double squares(F32Matrix x, int row, int from, int to) {
    double sum = 0;
    for (int i = from; i < to; i++) {
      double xi = x.get(row, i);
      sum += xi * xi;
    }
    return sum;
  }

  private static class Forward<K extends Kernel> implements Kernel {
    final K right;

    Forward(K right) {
      this.right = right;
    }

    @Override
    public long scratchBytes(int rows, int parallelism) {
      return right.scratchBytes(rows, parallelism);
    }
  }

  static class Linear extends Forward<LinearKernel> implements LinearKernel {
    Linear(LinearKernel right) {
      super(right);
    }

    @Override
    public boolean retainsSource() {
      return right.retainsSource();
    }

    @Override
    public void apply(F32Matrix x, F32Matrix y, Workspace w) {
      right.apply(x, y, w);
    }
  }

  static class Packer implements LinearPacker {
    final LinearPacker right;

    Packer(LinearPacker right) {
      this.right = right;
    }

    @Override
    public LinearKernel pack(List<WeightMatrix> stacked, SegmentAllocator packed, Workers workers) {
      return right.pack(stacked, packed, workers);
    }
  }

  static class Attention extends Forward<AttentionKernel> implements AttentionKernel {
    Attention(AttentionKernel right) {
      super(right);
    }

    @Override
    public void append(F32Matrix k, F32Matrix v, KvCache cache, int position, Workspace w) {
      right.append(k, v, cache, position, w);
    }

    @Override
    public void apply(F32Matrix q, KvCache cache, int first, F32Matrix y, Workspace w) {
      right.apply(q, cache, first, y, w);
    }
  }

  static class RmsNorm extends Forward<RmsNormKernel> implements RmsNormKernel {
    RmsNorm(RmsNormKernel right) {
      super(right);
    }

    @Override
    public void apply(F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {
      right.apply(x, weight, y, w);
    }
  }

  static class Rope extends Forward<RopeKernel> implements RopeKernel {
    Rope(RopeKernel right) {
      super(right);
    }

    @Override
    public void apply(F32Matrix x, F32Matrix table, int first, Workspace w) {
      right.apply(x, table, first, w);
    }
  }

  static class SwiGlu extends Forward<SwiGluKernel> implements SwiGluKernel {
    SwiGlu(SwiGluKernel right) {
      super(right);
    }

    @Override
    public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
      right.apply(gate, up, y, w);
    }
  }
}
