package dev.quern.conformance.rows;

import dev.quern.data.F32Matrix;

/// Where [RowData] lies for a call, and where the result goes.
///
/// @param result may be one of the others, as far as the operator allows it
record RowMatrices(F32Matrix first, F32Matrix second, F32Matrix result) {}
