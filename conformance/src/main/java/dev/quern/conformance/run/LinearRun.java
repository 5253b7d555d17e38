package dev.quern.conformance.run;

import dev.quern.conformance.Target;
import dev.quern.conformance.Verdict;
import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.LinearCase;
import dev.quern.conformance.cases.WeightBytes;
import dev.quern.conformance.oracle.DecodedWeights;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.Numerics;
import dev.quern.spi.Offer;
import dev.quern.spi.Variant;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.IntStream;

/// A linear kernel with its operands.
public final class LinearRun extends Run {
  private final LinearCase c;
  private LinearData data;
  private Packed packed;
  private final F32Matrix x;
  private final F32Matrix y;
  private final Memory source;
  private final List<MemorySegment> sources = new ArrayList<>();
  private long packedBytes;

  /// What runs on the same weights share.
  private static final class Packed {
    private final Offer.Accepted<LinearPacker> offer;
    private final LinearKernel kernel;

    /// Decoded by the first that asks: most rules compare results with each other.
    private List<DecodedWeights> weights;

    Packed(Offer.Accepted<LinearPacker> offer, LinearKernel kernel) {
      this.offer = offer;
      this.kernel = kernel;
    }
  }

  private LinearRun(LinearCase c, LinearData data, Packed shared, Memory memory, Memory source) {
    super(memory);
    this.source = source;
    this.c = c;
    this.data = data;
    int outputs = c.totalOutputs();
    this.x = inputMatrix("x", data.x(), c.inputs(), c.xPad());
    this.y = outputMatrix("y", data.before(), outputs, c.yPad(), !c.accumulate());
    this.packed = shared;
  }

  /// Packs the weights.
  ///
  /// @param places where they are put, or none if they have no place yet
  private LinearRun(
      LinearCase c,
      LinearData data,
      Offer.Accepted<LinearPacker> offer,
      List<MemorySegment> places,
      Memory memory,
      Memory source) {
    this(c, data, (Packed) null, memory, source);
    this.packed = pack(offer, places);
  }

  /// Generates the operands and packs the weights.
  ///
  /// @throws DeclinedException if the provider declines the spec
  public static LinearRun open(LinearCase c, Target target, Memory memory) {
    return open(c, LinearData.of(c), target, memory);
  }

  /// Packs given weights.
  public static LinearRun open(LinearCase c, LinearData data, Target target, Memory memory) {
    return open(c, data, target, memory, memory);
  }

  /// Packs given weights that lie in memory of their own.
  public static LinearRun open(
      LinearCase c, LinearData data, Target target, Memory memory, Memory source) {
    var offer = DeclinedException.accepted(target.provider().linear(c.spec()));
    return new LinearRun(c, data, offer, List.of(), memory, source);
  }

  /// Packs other weights with the packer that packed these.
  ///
  /// @param other of the same spec; its matrices may be cut at other outputs
  public LinearRun repack(LinearCase other, LinearData data) {
    return new LinearRun(other, data, packed.offer, List.of(), memory(), source);
  }

  /// The same, of weights that lie where these lay: the source of this run's kernel is gone.
  public LinearRun repackInPlace(LinearData other) {
    overwriteSource();
    return new LinearRun(c, other, packed.offer, sources, memory(), source);
  }

  private Packed pack(Offer.Accepted<LinearPacker> offer, List<MemorySegment> places) {
    Iterator<MemorySegment> place = places.iterator();
    List<WeightMatrix> stacked = new ArrayList<>();
    for (int i = 0; i < data.weights().size(); i++) {
      WeightBytes bytes = data.weights().get(i);
      int outputs = c.outputs().get(i);
      MemorySegment plane = source("weights " + i, bytes.data(), place);
      MemorySegment scales =
          bytes.scales().length == 0
              ? MemorySegment.NULL
              : source("scales " + i, bytes.scales(), place);
      stacked.add(new WeightMatrix(c.blockFormat(), plane, scales, outputs, c.inputs()));
    }
    try (TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      LinearKernel kernel = offer.kernel().pack(stacked, this::allocatePacked, workers);
      return new Packed(offer, kernel);
    }
  }

  private MemorySegment allocatePacked(long bytes, long alignment) {
    packedBytes += bytes;
    return memory().allocate("packed weights", bytes, alignment);
  }

  private MemorySegment source(String name, byte[] bytes, Iterator<MemorySegment> place) {
    MemorySegment segment = place.hasNext() ? place.next() : source.allocate(name, bytes.length, 1);
    operandAt(segment, name, bytes, List.of(), false);
    sources.add(segment);
    return segment;
  }

  /// Bytes that `pack` took from its allocator.
  public long packedBytes() {
    return packedBytes;
  }

  /// Overwrites the weights that the kernel was packed from; they are no operands any more.
  public void overwriteSource() {
    for (MemorySegment segment : sources) {
      forget(segment);
      segment.fill((byte) 0xff);
    }
  }

  /// Frees the memory of the weights that the kernel was packed from.
  public void freeSource() {
    source.close();
  }

  public LinearCase spec() {
    return c;
  }

  public LinearData data() {
    return data;
  }

  /// What the weights mean.
  public List<DecodedWeights> weights() {
    if (packed.weights == null) {
      packed.weights =
          IntStream.range(0, c.outputs().size())
              .mapToObj(i -> decode(data.weights().get(i), c.outputs().get(i)))
              .toList();
    }
    return packed.weights;
  }

  private DecodedWeights decode(WeightBytes w, int outputs) {
    return DecodedWeights.decode(c.blockFormat(), w.data(), w.scales(), outputs, c.inputs());
  }

  @Override
  public LinearKernel kernel() {
    return packed.kernel;
  }

  @Override
  public List<Variant> variants() {
    return packed.offer.variants();
  }

  @Override
  public Set<Numerics> permitted() {
    return c.spec().tolerated();
  }

  @Override
  public int rows() {
    return c.rows();
  }

  @Override
  protected void invoke(Workspace w) {
    packed.kernel.apply(x, y, w);
  }

  @Override
  public Run row(int r) {
    float[] row = Arrays.copyOfRange(data.x(), r * c.inputs(), (r + 1) * c.inputs());
    int n = c.totalOutputs();
    float[] before = Arrays.copyOfRange(data.before(), r * n, (r + 1) * n);
    return new LinearRun(
        CaseText.with(c, "rows=1"),
        new LinearData(row, before, data.weights()),
        packed,
        memory(),
        source);
  }

  @Override
  public Run next(int rows, int more, long seed, Memory memory) {
    LinearCase next =
        CaseText.with(
            c,
            String.format(
                Locale.ROOT,
                "rows=%d,xPad=%d,yPad=%d,seed=%d",
                rows,
                c.xPad() + more,
                c.yPad() + more,
                seed));
    return new LinearRun(next, LinearData.of(next, data.weights()), packed, memory, source);
  }

  @Override
  protected void reread() {
    data = new LinearData(held(x), held(y), data.weights());
  }

  @Override
  public byte[] rowOf(byte[] result, int r) {
    int rowBytes = 4 * c.totalOutputs();
    return Arrays.copyOfRange(result, r * rowBytes, (r + 1) * rowBytes);
  }

  @Override
  public Verdict withinBounds(byte[] result) {
    return LinearBounds.tight(this, floats(result));
  }
}
