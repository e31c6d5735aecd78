"""What looks like a known rewrite, and is not the same: of each rule some, and what a wrong rule once proved."""

from support.graph_pairs import (
    ANY,
    BATCH,
    CONVS,
    DECONV,
    EMPTY,
    IMAGE,
    LIST,
    PAIR,
    RANK,
    SCALES,
    STATE,
    TESTED,
    WIDE,
    Pair,
    nodes,
)

UNPROVED: dict[str, Pair] = {
    "largest: of others": Pair(
        "(float[N] x, float[M] z) => (int64[1] y) { a = Add(x, z)  y = Shape(a) }",
        "(float[N] x, float[M] z) => (int64[1] y) { y = Shape(x) }",
    ),
    "largest: a beginning of one is not it": Pair(
        "(float[N] x, float[1] z) => (int64[1] y) <int64[1] a = {0}, int64[1] b = {2}> { s = Slice(x, a, b)"
        "  c = Add(s, z)  y = Shape(c) }",
        "(float[N] x, float[1] z) => (int64[1] y) { y = Shape(x) }",
    ),
    "resize: another mode": nodes(
        f"{IMAGE} {SCALES}",
        'y = Resize <mode = "linear"> (x, "", two)',
        'y = Resize <mode = "linear", coordinate_transformation_mode = "align_corners"> (x, "", two)',
    ),
    "resize: what counts in its mode": nodes(
        f"{IMAGE} {SCALES}",
        'y = Resize <mode = "cubic", cubic_coeff_a = -0.5> (x, "", two)',
        'y = Resize <mode = "cubic"> (x, "", two)',
    ),
    "resize: antialias": nodes(
        f"{IMAGE} <float[4] half = {{1,1,0.5,0.5}}>",
        'y = Resize <mode = "linear", antialias = 1> (x, "", half)',
        'y = Resize <mode = "linear"> (x, "", half)',
        18,
    ),
    "split: more parts than are named": nodes(
        "(float[6] x) => (float[K] y)",
        "a, b = Split <num_outputs = 3> (x)  y = Identity(a)",
        "y, b = Split <num_outputs = 2> (x)",
        18,
    ),
    "split: uneven where that was an error": Pair(
        "(float[5] x) => (float[K] y) { y, b = Split(x) }",
        "(float[5] x) => (float[K] y) <int64[1] s = {0}, int64[1] e = {3}> { y = Slice(x, s, e) }",
    ),
    "unknown rank: another axis": nodes(
        f"{ANY} <int64[1] axis = {{0}}>",
        f"{RANK}  a = ReduceMax <axes = [1], keepdims = 0> (t)  y = Unsqueeze(a, axis)",
        f"{RANK}  y = ReduceMax <axes = [1]> (t)",
    ),
    "unknown rank: axes in another order": nodes(
        f"{ANY} <int64[1] a = {{2}}, int64[1] b = {{0}}, int64[2] both = {{0,2}}>",
        f"{RANK}  u = Unsqueeze(t, a)  y = Unsqueeze(u, b)",
        f"{RANK}  y = Unsqueeze(t, both)",
    ),
    "squeeze: no axes, which are all": Pair(
        "(float[1,3] x) => (float[] y) <int64[0] no = {}> { y = Squeeze(x, no) }",
        "(float[1,3] x) => (float[] y) { y = Identity(x) }",
    ),
    "nested: means of integers": nodes(
        "(int32[2,3] x) => (int32[1,1] y)",
        "t = ReduceMean <axes = [0]> (x)  y = ReduceMean <axes = [1]> (t)",
        "y = ReduceMean <axes = [0, 1]> (x)",
    ),
    "nested: of another kind": nodes(
        PAIR,
        "t = ReduceMax <axes = [0]> (x)  y = ReduceMean <axes = [1]> (t)",
        "t = ReduceMean <axes = [0]> (x)  y = ReduceMax <axes = [1]> (t)",
    ),
    "nested: norms of norms": nodes(
        PAIR,
        "t = ReduceSumSquare <axes = [0]> (x)  y = ReduceSumSquare <axes = [1]> (t)",
        "y = ReduceSumSquare <axes = [0, 1]> (x)",
    ),
    "pooling: rounded up": nodes(
        "(float[1,1,6] x) => (float[a,b,c] y)",
        "y = MaxPool <kernel_shape = [3], strides = [2], ceil_mode = 1> (x)",
        "y = MaxPool <kernel_shape = [3], strides = [2]> (x)",
    ),
    "pooling: the size of windows with gaps": Pair(
        "(float[1,1,9] x) => (int64[3] y) { p = MaxPool"
        ' <kernel_shape = [3], dilations = [2], auto_pad = "SAME_UPPER"> (x)  y = Shape(p) }',
        "(float[1,1,9] x) => (int64[3] y) <int64[3] s = {1,1,9}> { y = Identity(s) }",
    ),
    "pooling: each axis has a size of its own": Pair(
        *(
            "(float[1,1,8,8] x) => (float[] y) { p = MaxPool <kernel_shape = [2, 3], strides = [2, 3], ceil_mode = 1"
            "> (x)"
            f"  a = Shape <start = 2, end = 3> (p)  b = Shape <start = 3, end = 4> (p)  c = Concat <axis = 0"
            f"> ({order})  y = Reshape(p, c) }}"
            for order in ("a, b", "b, a")
        )
    ),
    "size test: one that may be": nodes(f"{TESTED}>", "s = Shape(x)  y = Equal(s, three)", "y = Identity(no)"),
    "size test: a difference of sizes": nodes(
        f"{TESTED}, int64[2] four = {{4,4}}>", "s = Shape(x)  d = Sub(s, four)  y = Equal(d, minus)", "y = Identity(no)"
    ),
    "size test: too wide for its type": nodes(
        f"{TESTED}, int32[1] m = {{-1}}>",
        "s = Shape <end = 1> (x)  c = Concat <axis = 0> (s, far)  d = Cast <to = 6> (c)  y = Equal(d, m)",
        "y = Identity(no)",
    ),
    "where: the other side is wider": nodes(
        "(float[3] x, float[2,3] z) => (float[] y) <bool yes = {1}>", "y = Where(yes, x, z)", "y = Identity(x)"
    ),
    "where: not everywhere": nodes(
        "(float[3] x, float[3] z) => (float[K] y) <bool[3] most = {1,1,0}>", "y = Where(most, x, z)", "y = Identity(x)"
    ),
    "states: a batch of ones": nodes(
        f"{STATE}>",
        f"{BATCH}  z = ConstantOfShape <value = float[1] {{1}}> (d)  y = LSTM <hidden_size = 2"
        f'> (x, w, r, "", "", z, z)',
        "y = LSTM <hidden_size = 2> (x, w, r)",
    ),
    "states: not only zeros": nodes(
        f"{STATE}, float[1,1,2] one = {{0,1}}>",
        f'{BATCH}  z = Expand(one, d)  y = LSTM <hidden_size = 2> (x, w, r, "", "", z, z)',
        "y = LSTM <hidden_size = 2> (x, w, r)",
    ),
    "transposed convolution: a factor per input channel": nodes(
        f"{DECONV}, float[1,2,1,1] c = {{1,2}}, float[2,2,2,2] w2 = {{1,2,3,4,5,6,7,8,16,14,12,10,8,6,4,2}}>",
        "t = ConvTranspose(x, w)  y = Mul(t, c)",
        "y = ConvTranspose(x, w2)",
    ),
    "transposed convolution: a term for the bias times two": nodes(
        f"{DECONV}, {WIDE}>", "c = ConvTranspose(x, w, v)  y = Mul(c, t)", "y = ConvTranspose(x, w2, v)"
    ),
    "layout: one side only": nodes(
        "(float[3,3] x, float[3,3] z) => (float[a,b] y)",
        "t = Transpose(x)  m = Max(t, z)  y = Transpose(m)",
        "y = Max(x, z)",
    ),
    "layout: a power": nodes(
        "(float[3,3] x) => (float[a,b] y)",
        "a = Abs(x)  t = Transpose(a)  y = Pow(t, a)",
        "a = Abs(x)  t = Transpose(a)  y = Pow(a, t)",
    ),
    "layout: axes that are not of one": nodes(
        "(float[N,1,3] x) => (float[a,b,c] y) <int64[3] s = {3,1,-1}>",
        "y = Transpose <perm = [2, 1, 0]> (x)",
        "y = Reshape(x, s)",
    ),
    "product: a factor that is no scalar": nodes(
        CONVS, "c = Conv(x, w)  p = Mul(c, z)  y = Mul(p, many)", "c = Conv(x, w2)  y = Mul(z, c)"
    ),
    "product: an infinite factor": Pair(
        "(float[1,1,4] x) => (float[] y) <float[1,1,2] w = {1,-1}, float inf = {inf}> { c = Conv(x, w)"
        "  y = Mul(c, inf) }",
        "(float[1,1,4] x) => (float[] y) <float[1,1,2] w = {inf,-inf}> { y = Conv(x, w) }",
    ),
    "product: zeros that make it wider": nodes(
        "(float[3] x) => (float[] y) <float[2,1] zero = {0,0}>", "y = Add(x, zero)", "y = Identity(x)"
    ),
    "the largest few: another number": Pair(
        *(
            f"(float[N,3] x) => (int64[2] y) <int64[1] k = {{{k}}}> {{ a, b = TopK(x, k)  y = Shape(a) }}"
            for k in (1, 2)
        )
    ),
    "rank: the last of a shape": nodes(
        "(float[N,M] x) => (int64[K] y) <int64[1] last = {-1}, int64[1] end ="
        " {9223372036854775807}, int64[1] zero = {0}, int64[1] one = {1}>",
        "s = Shape(x)  y = Slice(s, last, end)",
        "s = Shape(x)  y = Slice(s, zero, one)",
    ),
    "a range that may be empty": nodes(f"{LIST} {EMPTY}", "s = Slice(x, five, six)  y = Shape(s)", "y = Identity(one)"),
    "the last of what may be empty": nodes(
        f"{LIST} {EMPTY}", "s = Slice(x, five, end)  t = Slice(s, last, end)  y = Shape(t)", "y = Identity(one)"
    ),
    "a size of zero in a Reshape": nodes(
        f"(float[N,3] x) => (float[a,b,c] y) {EMPTY}",
        "t = Slice(x, five, end, zero)  n = Shape <end = 1> (t)  c = Concat <axis = 0> (last, n, three)"
        "  y = Reshape(t, c)",
        "t = Slice(x, five, end, zero)  y = Unsqueeze(t, zero)",
    ),
    "backwards to the far end": nodes(
        "(float[3] x) => (int64[1] y) <int64[1] two = {2}, int64[1] z = {0}, int64[1] end ="
        " {9223372036854775807}, int64[1] back = {-1}>",
        "s = Slice(x, two, end, z, back)  y = Shape(s)",
        "y = Identity(z)",
    ),
    "the mean of nothing": nodes(
        "(float[N] x) => (int64 y) <int64[0] none = {}, int64 least = {-9223372036854775808}>",
        "y = ReduceMean <keepdims = 0> (none)",
        "y = Identity(least)",
    ),
    "outputs: another rank": Pair(
        "(float[3] x) => (float[3] y) { y = Relu(x) }",
        "(float[3] x) => (float[1,3] y) { t = Identity(x)  y = Relu(t) }",
    ),
    "outputs: another type": Pair(
        "(float[3] x) => (float[3] y) { y = Relu(x) }",
        "(float[3] x) => (double[3] y) { t = Relu(x)  y = Cast <to = 11> (t) }",
    ),
}
