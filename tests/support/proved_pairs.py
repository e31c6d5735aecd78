"""What optimisers and converters write, two and more of each rule: equal for every input."""

from support.graph_pairs import (
    ANY,
    BATCH,
    CONVS,
    DECONV,
    FLOATS,
    IMAGE,
    PAIR,
    RANK,
    SCALES,
    STATE,
    TESTED,
    WIDE,
    Pair,
    nodes,
)

PROVED: dict[str, Pair] = {
    "largest: met in another order": nodes(FLOATS, "a = Add(x, z)  y = Max(a, x)", "a = Add(z, x)  y = Max(x, a)"),
    "largest: once more": nodes(f"{FLOATS} <bool yes = {{1}}>", "a = Add(x, z)  y = Where(yes, a, x)", "y = Add(x, z)"),
    "resize: of an older opset": nodes(
        f"{IMAGE} {SCALES}",
        "y = Resize(x, none, two)",
        'y = Resize <keep_aspect_ratio_policy = "stretch"> (x, "", two)',
        11,
        19,
    ),
    "resize: what does not count in its mode": nodes(
        f"{IMAGE} {SCALES}",
        'y = Resize <mode = "linear", nearest_mode = "floor", cubic_coeff_a = -0.5> (x, "", two)',
        'y = Resize <mode = "linear"> (x, none, two)',
    ),
    "resize: its shape": Pair(
        f'(float[1,2,N,6] x) => (int64[4] y) {SCALES} {{ r = Resize(x, "", "", size)  y = Shape(r) }}',
        f"(float[1,2,N,6] x) => (int64[4] y) {SCALES} {{ y = Identity(size) }}",
    ),
    "split: by count": nodes(
        "(float[6] x) => (float[K] y)",
        "a, b = Split(x)  y = Sub(a, b)",
        "a, b = Split <num_outputs = 2> (x)  y = Sub(a, b)",
        17,
        18,
    ),
    "split: the last is smaller": Pair(
        "(float[5] x) => (float[K] y) { a, b, y = Split <num_outputs = 3> (x) }",
        "(float[5] x) => (float[K] y) <int64[1] s = {4}, int64[1] e = {5}> { y = Slice(x, s, e) }",
        18,
    ),
    "unknown rank: a reduction that keeps or not": nodes(
        f"{ANY} <int64[1] axis = {{1}}>",
        f"{RANK}  a = ReduceMax <axes = [1], keepdims = 0> (t)  y = Unsqueeze(a, axis)",
        f"{RANK}  y = ReduceMax <axes = [1]> (t)",
    ),
    "unknown rank: axes added one by one": nodes(
        f"{ANY} <int64[1] a = {{1}}, int64[1] b = {{0}}, int64[2] both = {{0,2}}>",
        f"{RANK}  u = Unsqueeze(t, a)  y = Unsqueeze(u, b)",
        f"{RANK}  y = Unsqueeze(t, both)",
    ),
    "unknown rank: everything": nodes(
        f"{ANY} <int64[0] no = {{}}>",
        f"{RANK}  y = ReduceSum <keepdims = 0> (t)",
        f"{RANK}  y = ReduceSum <keepdims = 0> (t, no)",
    ),
    "nested: the largest of the largest": nodes(
        "(float[N,3,M] x) => (float[a] y)",
        "t = ReduceMax <axes = [0], keepdims = 0> (x)  y = ReduceMax <axes = [1], keepdims = 0> (t)",
        "y = ReduceMax <axes = [0, 2], keepdims = 0> (x)",
    ),
    "nested: the mean of means": nodes(
        "(float[N,3,M] x) => (float[a,b,c] y)",
        "t = ReduceMean <axes = [-1]> (x)  y = ReduceMean <axes = [1]> (t)",
        "y = ReduceMean <axes = [1, 2]> (x)",
    ),
    "pooling: of an older opset": nodes(
        IMAGE,
        "y = AveragePool <kernel_shape = [2, 2], strides = [1, 2]> (x)",
        "y = AveragePool <kernel_shape = [2, 2], strides = [1, 2]> (x)",
        9,
        19,
    ),
    "pooling: the size of one padded to fit": Pair(
        "(float[1,1,5] x) => (int64[3] y) { p = MaxPool"
        ' <kernel_shape = [3], strides = [2], auto_pad = "SAME_UPPER"> (x)  y = Shape(p) }',
        "(float[1,1,5] x) => (int64[3] y) <int64[3] s = {1,1,3}> { y = Identity(s) }",
    ),
    "size test: no size is -1": nodes(f"{TESTED}>", "s = Shape(x)  y = Equal(s, minus)", "y = Identity(no)"),
    "size test: what is put together from sizes": nodes(
        f"{TESTED}>",
        "s = Shape <start = 0, end = 1> (x)  c = Concat <axis = 0> (s, three)  y = Equal(minus, c)",
        "y = Identity(no)",
    ),
    "where: always": nodes(
        "(float[N] x, float[1] z) => (float[K] y) <bool yes = {1}>", "y = Where(yes, x, z)", "y = Identity(x)"
    ),
    "where: never": nodes(
        "(float[N,3] x, float[3] z) => (float[a,b] y) <bool[3] no = {0,0,0}>", "y = Where(no, z, x)", "y = Identity(x)"
    ),
    "states: a batch of zeros": nodes(
        f"{STATE}>",
        f'{BATCH}  z = ConstantOfShape(d)  y = LSTM <hidden_size = 2> (x, w, r, "", "", z, z)',
        "y = LSTM <hidden_size = 2> (x, w, r)",
    ),
    "states: zero, expanded": nodes(
        f"{STATE}, float zero = {{0}}>",
        f'{BATCH}  z = Expand(zero, d)  y = LSTM <hidden_size = 2> (x, w, r, "", "", z, z)',
        "y = LSTM <hidden_size = 2> (x, w, r)",
    ),
    "transposed convolution: a factor": nodes(
        f"{DECONV}, {WIDE}>",
        "c = ConvTranspose(x, w, v)  y = Mul(c, t)",
        "y = ConvTranspose <strides = [1, 1]> (x, w2, v2)",
    ),
    "transposed convolution: a term": nodes(
        f"{DECONV}, float[1,2,1,1] term = {{1,2}}>",
        "c = ConvTranspose <strides = [2, 2]> (x, w)  y = Add(c, term)",
        "y = ConvTranspose <strides = [2, 2]> (x, w, v)",
    ),
    "transposed convolution: its size": Pair(
        "(float[1,2,3,3] x) => (int64[4] y) <float[2,2,2,2] w = {1,2,3,4,5,6,7,8,8,7,6,5,4,3,2,1}>"
        " { c = ConvTranspose <strides = [2, 2], output_padding = [1, 0]> (x, w)  y = Shape(c) }",
        "(float[1,2,3,3] x) => (int64[4] y) <int64[4] s = {1,2,7,6}> { y = Identity(s) }",
    ),
    "layout: a maximum": nodes(
        PAIR, "t = Transpose(x)  u = Neg(t)  m = Max(t, u)  y = Transpose(m)", "u = Neg(x)  y = Max(x, u)"
    ),
    "layout: a test": nodes(
        "(float[N,3] x, float[N,3] z) => (bool[a,b] y)",
        "t = Transpose(x)  u = Transpose(z)  m = Less(t, u)  y = Transpose(m)",
        "y = Less(x, z)",
    ),
    "layout: axes of one": nodes(
        "(float[N,1,3] x) => (float[a,b,c] y) <int64[1] axis = {1}>",
        "y = Transpose <perm = [2, 1, 0]> (x)",
        "s = Squeeze(x, axis)  t = Transpose(s)  y = Unsqueeze(t, axis)",
    ),
    "product: a scalar into the only convolution": nodes(
        CONVS, "c = Conv(x, w)  p = Mul(c, z)  y = Mul(p, t)", "c = Conv(x, w2)  y = Mul(z, c)"
    ),
    "product: zero added": nodes(
        "(float[N] x) => (float[K] y) <float[1] zero = {-0.0}>", "y = Add(x, zero)", "y = Identity(x)"
    ),
    "the largest few: their shape": nodes(
        "(float[N,3] x) => (float[a,b] y) <int64[1] k = {2}, int64[2] s = {-1,2}>",
        "a, b = TopK(x, k)  y = Reshape(a, s)",
        "y, b = TopK(x, k)",
    ),
    "rank: a part of a shape": nodes(
        "(float[N,3] x) => (int64[K] y) <int64[1] a = {0}, int64[1] b = {1}, int64[1] zero = {0}>",
        f"{RANK}  s = Shape(t)  y = Slice(s, a, b)",
        f"{RANK}  s = Shape(t)  y = Slice(s, a, b, zero)",
    ),
    "outputs: a shape that is only stated": Pair(
        "(float[N] x) => (float[N] y) { y = Relu(x) }", "(float[N] x) => (float[M] y) { t = Identity(x)  y = Relu(t) }"
    ),
    "outputs: a fixed shape": Pair(
        "(float[3] x) => (float[N] y) { y = Relu(x) }", "(float[3] x) => (float[3] y) { t = Identity(x)  y = Relu(t) }"
    ),
}
