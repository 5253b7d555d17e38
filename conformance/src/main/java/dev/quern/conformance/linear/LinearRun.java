package dev.quern.conformance.linear;

import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.run.DeclinedException;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Run;
import dev.quern.conformance.run.TestWorkers;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.Numerics;
import dev.quern.spi.Offer;
import dev.quern.spi.Variant;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
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
  private final Packing packing;
  private final List<MemorySegment> sources = new ArrayList<>();
  private final List<WeightMatrix> stacked = new ArrayList<>();
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

  /// Where weights lie and are packed to.
  ///
  /// @param source what `pack` reads
  /// @param packed where it allocates
  public record Packing(Memory source, SegmentAllocator packed) {
    /// The source in one place, what is packed in another.
    public static Packing of(Memory source, Memory packed) {
      return new Packing(
          source, (bytes, alignment) -> packed.allocate("packed weights", bytes, alignment));
    }
  }

  private LinearRun(LinearCase c, LinearData data, Packed shared, Memory memory, Packing packing) {
    super(memory);
    this.packing = packing;
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
      Packing packing) {
    this(c, data, (Packed) null, memory, packing);
    stack(places.iterator());
    try (TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      this.packed = pack(offer, this::allocatePacked, workers);
    }
  }

  /// Generates the operands and packs the weights.
  ///
  /// @throws DeclinedException if the provider declines the spec
  public static LinearRun open(LinearCase c, Candidate target, Memory memory) {
    return open(c, LinearData.of(c), target, memory);
  }

  /// Packs given weights.
  public static LinearRun open(LinearCase c, LinearData data, Candidate target, Memory memory) {
    return open(c, data, target, memory, Packing.of(memory, memory));
  }

  /// Packs given weights that lie in memory of their own.
  public static LinearRun open(
      LinearCase c, LinearData data, Candidate target, Memory memory, Packing packing) {
    return new LinearRun(c, data, offer(c, target), List.of(), memory, packing);
  }

  private static Offer.Accepted<LinearPacker> offer(LinearCase c, Candidate target) {
    return DeclinedException.accepted(target.kernels().linear(c.spec()));
  }

  /// Packs other weights with the packer that packed these.
  ///
  /// @param other of the same spec; its matrices may be cut at other outputs
  public LinearRun repack(LinearCase other, LinearData data) {
    return new LinearRun(other, data, packed.offer, List.of(), memory(), packing);
  }

  /// The same, of weights that lie where these lay: the source of this run's kernel is gone.
  public LinearRun repackInPlace(LinearData other) {
    for (int i = 0; i < sources.size(); i++) {
      overwriteSource(i);
    }
    return new LinearRun(c, other, packed.offer, sources, memory(), packing);
  }

  private void stack(Iterator<MemorySegment> places) {
    for (int i = 0; i < data.weights().size(); i++) {
      int earlier = data.weights().indexOf(data.weights().get(i));
      stacked.add(earlier < i ? stacked.get(earlier) : matrix(i, places));
    }
  }

  private Packed pack(
      Offer.Accepted<LinearPacker> offer, SegmentAllocator allocator, Workers workers) {
    if (!c.bias()) {
      return new Packed(offer, offer.kernel().pack(stacked, allocator, workers));
    }
    byte[] bytes = MemorySegment.ofArray(data.bias()).toArray(ValueLayout.JAVA_BYTE);
    MemorySegment bias = input(packing.source(), "bias", bytes, Float.BYTES);
    LinearKernel kernel = offer.kernel().pack(stacked, bias, allocator, workers);
    if (!Arrays.equals(bytes, bias.toArray(ValueLayout.JAVA_BYTE))) {
      throw new IllegalStateException("pack wrote to the bias");
    }
    forget(bias);
    if (!bias.isReadOnly()) {
      bias.fill((byte) 0xff); // NaN: whoever reads it after pack shows it
    }
    return new Packed(offer, kernel);
  }

  /// The same call on another kernel, packed from the same source.
  public LinearRun repacked(Candidate target, Workers workers) {
    return repacked(target, this::allocatePacked, workers);
  }

  /// The same call on another kernel, packed from the same source.
  public LinearRun repacked(Candidate target, SegmentAllocator allocator, Workers workers) {
    Packed again = pack(offer(c, target), allocator, workers);
    return new LinearRun(c, data, again, memory(), packing);
  }

  private WeightMatrix matrix(int i, Iterator<MemorySegment> places) {
    WeightBytes bytes = data.weights().get(i);
    MemorySegment plane = source("weights " + i, bytes.data(), places);
    MemorySegment scales =
        bytes.scales().length == 0
            ? MemorySegment.NULL
            : source("scales " + i, bytes.scales(), places);
    return new WeightMatrix(c.blockFormat(), plane, scales, c.outputs().get(i), c.inputs());
  }

  private synchronized MemorySegment allocatePacked(long bytes, long alignment) {
    packedBytes += bytes;
    return packing.packed().allocate(bytes, alignment);
  }

  private MemorySegment source(String name, byte[] bytes, Iterator<MemorySegment> places) {
    MemorySegment segment =
        places.hasNext()
            ? operandAt(places.next(), name, bytes, List.of(), false)
            : input(packing.source(), name, bytes, 1);
    sources.add(segment);
    return segment;
  }

  /// Bytes that `pack` took from its allocator.
  @Override
  public long packedBytes() {
    return packedBytes;
  }

  /// The planes that the kernel was packed from, matrix by matrix.
  public int sources() {
    return sources.size();
  }

  /// Leaves the weights that the kernel was packed from to others: they are no operands any more.
  public void forgetSource() {
    sources.forEach(this::forget);
  }

  /// Overwrites a plane of the weights that the kernel was packed from; it is no operand any more.
  ///
  /// @param i which, below [#sources]
  public void overwriteSource(int i) {
    forget(sources.get(i));
    sources.get(i).fill((byte) 0xff);
  }

  /// Frees the memory of the weights that the kernel was packed from.
  public void freeSource() {
    forgetSource();
    packing.source().close();
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
  public Run rowRange(int from, int to) {
    float[] rows = Arrays.copyOfRange(data.x(), from * c.inputs(), to * c.inputs());
    int n = c.totalOutputs();
    float[] before = Arrays.copyOfRange(data.before(), from * n, to * n);
    return new LinearRun(
        CaseText.with(c, "rows=" + (to - from)),
        new LinearData(rows, before, data.bias(), data.weights()),
        packed,
        memory(),
        packing);
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
    LinearData operands = LinearData.of(next, data.weights());
    LinearData ours = new LinearData(operands.x(), operands.before(), data.bias(), data.weights());
    return new LinearRun(next, ours, packed, memory, packing);
  }

  @Override
  protected void reread() {
    data = new LinearData(held(x), held(y), data.bias(), data.weights());
  }

  @Override
  public String boundRule() {
    return variant(c.rows()).numerics().equals(Numerics.EXACT_F32) ? "L5" : "L9";
  }

  @Override
  public byte[] rowOf(byte[] result, int r) {
    int rowBytes = 4 * c.totalOutputs();
    return Arrays.copyOfRange(result, r * rowBytes, (r + 1) * rowBytes);
  }

  @Override
  public Judgement withinBounds(byte[] result) {
    return LinearBounds.tight(this, floats(result));
  }
}
