package dev.quern.conformance.mutants;

/// A program for [OverReadTest]: checks rule P7 on a fault. It does not get far.
final class OverRead {
  private OverRead() {}

  /// @param args the fault's name
  public static void main(String[] args) {
    Fault fault = Fault.valueOf(args[0]);
    System.out.println("checking " + fault.rule());
    System.out.println("killed " + MutantsTest.hunt(fault).by(fault.rule()));
  }
}
