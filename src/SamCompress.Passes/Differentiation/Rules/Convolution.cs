using SamCompress.IR;

namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>
/// The window of a convolution y = w * x, and the two products in which its gradients, and those of a transposed convolution, consist. x is [n, c, ...],
/// w is [m, c / groups, ...], y is [n, m, ...].
/// </summary>
internal sealed record Convolution
{
    /// <summary>Of a kernel with more elements the gradient is left to a convolution, whose nodes do not become more.</summary>
    private const int MostShifts = 32;

    public required long[] Kernel { get; init; }

    public required long[] Strides { get; init; }

    public required long[] Dilations { get; init; }

    /// <summary>The pads before each axis, then those behind.</summary>
    public required long[] Pads { get; init; }

    public required long Groups { get; init; }

    private int Axes => Kernel.Length;

    /// <param name="kernel">Its size along each axis.</param>
    /// <exception cref="SamCompressException">Unsupported: automatic pads of a transposed convolution.</exception>
    public static Convolution Of(GradientScope scope, long[] kernel)
    {
        IReadOnlyList<long> ones = [.. Enumerable.Repeat(1L, kernel.Length)];
        var convolution = new Convolution
        {
            Kernel = kernel,
            Strides = [.. scope.Node.GetInts("strides") ?? ones],
            Dilations = [.. scope.Node.GetInts("dilations") ?? ones],
            Pads = [.. scope.Node.GetInts("pads") ?? new long[2 * kernel.Length]],
            Groups = scope.Node.GetInt("group", 1),
        };
        return scope.Node.GetString("auto_pad", "NOTSET") switch
        {
            "NOTSET" => convolution,
            "VALID" => convolution with { Pads = new long[2 * kernel.Length] },
            _ when scope.Node.Is("ConvTranspose") => throw scope.Refuse("its pads are automatic"),
            var same => convolution.PaddedToSame(scope.ShapeOf(0)[2..], scope.OutputShape()[2..], same == "SAME_UPPER"),
        };
    }

    /// <summary>The convolution itself.</summary>
    public Value Apply(GradientScope scope, Value x, Value weight) =>
        scope.Graph.Op("Conv", [x, weight], [.. Attributes(Strides, Dilations, Pads, Groups), NodeAttribute.Of("kernel_shape", Kernel)]);

    /// <summary>
    /// dx = the transposed convolution of dy with w; without strides that is the convolution of dy with w turned around, for which ONNX Runtime has the better
    /// kernels. Where the last strides did not reach the end of x, what is behind has gradient 0.
    /// </summary>
    /// <param name="shape">Of x.</param>
    public Value OfData(GradientScope scope, Value gradient, Value weight, long[] shape)
    {
        long[] reach = [.. Enumerable.Range(0, 2 * Axes).Select(i => Extent(i % Axes) - 1 - Pads[i])];
        if (Strides.All(s => s == 1) && Kernel.Any(k => k > 1) && reach.All(r => r >= 0))
            return (this with { Pads = reach }).Apply(scope, gradient, TurnedAround(scope, weight));
        long[] positions = gradient.Shape!.ToStatic()![2..];
        long[] rest = [.. Enumerable.Range(0, Axes).Select(a => shape[a + 2] - (((positions[a] - 1) * Strides[a]) + Extent(a) - Pads[a] - Pads[Axes + a]))];
        return scope.Graph.Op("ConvTranspose", [gradient, weight], [.. Attributes(Strides, Dilations, Pads, Groups), NodeAttribute.Of("kernel_shape", Kernel), NodeAttribute.Of("output_padding", rest)]);
    }

    /// <summary>The weight from y to x: rows and columns of each group change places, and the kernel is read backwards.</summary>
    private Value TurnedAround(GradientScope scope, Value weight)
    {
        long[] shape = weight.Shape!.ToStatic()!;
        long rows = shape[0] / Groups, columns = shape[1];
        if (rows > 1 || columns > 1)
        {
            Value grouped = scope.Graph.Transpose(scope.Graph.Reshape(weight, [Groups, rows, columns, .. Kernel]), [0, 2, 1, .. Enumerable.Range(3, Axes).Select(a => (long)a)]);
            weight = scope.Graph.Reshape(grouped, [Groups * columns, rows, .. Kernel]);
        }

        long[] last = [.. Enumerable.Repeat(-1L, Axes)];
        return scope.Graph.Op("Slice", [weight, scope.Graph.Vector(last), scope.Graph.Vector([.. Kernel.Select(k => -k - 1)]), scope.Graph.Vector([.. Enumerable.Range(2, Axes).Select(a => (long)a)]), scope.Graph.Vector(last)]);
    }

    /// <summary>
    /// dw. Without groups it is a product of matrices, dy [m, n p] by the columns of x [c k, n p]: cut once where the convolution cuts x into patches, else as one
    /// shifted copy of x for each element of the kernel. With groups it is a convolution of x with dy.
    /// </summary>
    public Value OfWeight(GradientScope scope, Value x, Value gradient)
    {
        long[] from = x.Shape!.ToStatic()!, to = gradient.Shape!.ToStatic()!;
        if (Groups > 1 || (!IsPatches(from) && Kernel.Aggregate(1L, (product, k) => product * k) > MostShifts))
            return OfConvolution(scope, x, from, gradient, to);
        return IsPatches(from) ? OfPatches(scope, x, from, gradient, to) : OfShifts(scope, x, from, gradient, to);
    }

    /// <summary>How many elements of x, without the pads, the window at a position reads.</summary>
    public long Inside(long position, long[] positions, long[] size)
    {
        long count = 1;
        for (int a = Axes - 1; a >= 0; a--)
        {
            long start = (position % positions[a] * Strides[a]) - Pads[a];
            position /= positions[a];
            count *= Enumerable.Range(0, (int)Kernel[a]).LongCount(k => start + (k * Dilations[a]) is var at && at >= 0 && at < size[a]);
        }

        return count;
    }

    private bool IsPatches(long[] from) => Enumerable.Range(0, Axes).All(a =>
        Pads[a] == 0 && Pads[Axes + a] == 0 && Strides[a] == Kernel[a] && (Dilations[a] == 1 || Kernel[a] == 1) && from[a + 2] % Kernel[a] == 0);

    /// <summary>dw [m, c k] = dy [m, n p] x [c k, n p] transposed: both matrices are there already when the batch is 1 and the kernel too.</summary>
    private Value OfPatches(GradientScope scope, Value x, long[] from, Value gradient, long[] to)
    {
        Value rows = ChannelsFirst(scope, gradient, to);
        Value cut = scope.Graph.Reshape(x, [from[0], from[1], .. Enumerable.Range(0, Axes).SelectMany(a => new[] { to[a + 2], Kernel[a] })]);
        long[] order = [1, .. Enumerable.Range(0, Axes).Select(a => (2L * a) + 3), 0, .. Enumerable.Range(0, Axes).Select(a => (2L * a) + 2)];
        Value columns = scope.Graph.Reshape(from[0] == 1 && Kernel.All(k => k == 1) ? x : scope.Graph.Transpose(cut, order), from[1] * Kernel.Aggregate(1L, (product, k) => product * k), -1);
        Value product = scope.Graph.Op("Gemm", [rows, columns], [NodeAttribute.Of("transB", 1L)]);
        return scope.Graph.Reshape(product, [to[1], from[1], .. Kernel]);
    }

    /// <summary>dw [m, k c] = dy [m, n p] x [k c, n p] transposed.</summary>
    private Value OfShifts(GradientScope scope, Value x, long[] from, Value gradient, long[] to)
    {
        long[] axes = [.. Enumerable.Range(2, Axes).Select(a => (long)a)];
        Value padded = Rules.Pads.Around(scope.Graph, x, [0, 0, .. Pads[..Axes]], [0, 0, .. Pads[Axes..]]);
        Value[] shifts = [.. Offsets().Select(offset => scope.Graph.Op("Slice",
        [
            padded,
            scope.Graph.Vector(offset),
            scope.Graph.Vector([.. offset.Select((o, a) => o + ((to[a + 2] - 1) * Strides[a]) + 1)]),
            scope.Graph.Vector(axes),
            scope.Graph.Vector(Strides),
        ]))];
        Value columns = ChannelsFirst(scope, shifts.Length == 1 ? shifts[0] : scope.Graph.Concat(shifts, 1), [from[0], from[1] * shifts.Length, .. to[2..]]);
        Value product = scope.Graph.Op("Gemm", [ChannelsFirst(scope, gradient, to), columns], [NodeAttribute.Of("transB", 1L)]);
        return scope.Graph.Transpose(scope.Graph.Reshape(product, [to[1], .. Kernel, from[1]]), [0, Axes + 1, .. axes.Select(a => a - 1)]);
    }

    /// <summary>Where the elements of the kernel read first, in their order.</summary>
    private IEnumerable<long[]> Offsets()
    {
        IEnumerable<long[]> offsets = [[]];
        for (int a = 0; a < Axes; a++)
        {
            int axis = a;
            offsets = [.. offsets.SelectMany(o => Enumerable.Range(0, (int)Kernel[axis]).Select(k => (long[])[.. o, k * Dilations[axis]]))];
        }

        return offsets;
    }

    private static Value ChannelsFirst(GradientScope scope, Value x, long[] shape)
    {
        Value first = shape[0] == 1 ? x : scope.Graph.Transpose(x, [1, 0, .. Enumerable.Range(2, shape.Length - 2).Select(a => (long)a)]);
        return scope.Graph.Reshape(first, shape[1], -1);
    }

    /// <summary>
    /// dw[m, c, k] = sum over n, p of dy[n, m, p] x[n, c, p stride + k dilation - pad]: a convolution with groups x [c, groups n, ...] and dy [m, n, ...], in
    /// which stride and dilation have changed places. Where the strides leave elements over, it gives rows behind the kernel, which are cut off.
    /// </summary>
    private Value OfConvolution(GradientScope scope, Value x, long[] from, Value gradient, long[] to)
    {
        long batch = from[0], inner = from[1] / Groups;
        IReadOnlyList<long> around = [.. Enumerable.Range(0, Axes).Select(a => (long)a)];
        Value data = x;
        if (batch > 1 || (Groups > 1 && inner > 1))
            data = scope.Graph.Transpose(scope.Graph.Reshape(x, [batch, Groups, inner, .. from[2..]]), [2, 1, 0, .. around.Select(a => a + 3)]);
        data = scope.Graph.Reshape(data, [inner, Groups * batch, .. from[2..]]);
        Value kernel = batch == 1
            ? scope.Graph.Reshape(gradient, [to[1], 1, .. to[2..]])
            : scope.Graph.Transpose(gradient, [1, 0, .. around.Select(a => a + 2)]);
        Value product = scope.Graph.Op("Conv", [data, kernel], [.. Attributes(Dilations, Strides, Pads, Groups), NodeAttribute.Of("kernel_shape", to[2..])]);
        long[] size = product.Shape!.ToStatic()![2..];
        if (!size.AsSpan().SequenceEqual(Kernel))
            product = scope.Graph.Op("Slice", [product, scope.Graph.Vector(new long[Axes]), scope.Graph.Vector(Kernel), scope.Graph.Vector([.. around.Select(a => a + 2)])]);
        return inner == 1 ? scope.Graph.Reshape(product, [to[1], 1, .. Kernel]) : scope.Graph.Transpose(product, [1, 0, .. around.Select(a => a + 2)]);
    }

    /// <summary>The attributes of a convolution.</summary>
    private static IEnumerable<NodeAttribute> Attributes(long[] strides, long[] dilations, long[] pads, long groups) =>
        [NodeAttribute.Of("strides", strides), NodeAttribute.Of("dilations", dilations), NodeAttribute.Of("pads", pads), NodeAttribute.Of("group", groups)];

    private Convolution PaddedToSame(long[] from, long[] to, bool upper)
    {
        var pads = new long[2 * Axes];
        for (int a = 0; a < Axes; a++)
        {
            long all = Math.Max(0, ((to[a] - 1) * Strides[a]) + Extent(a) - from[a]);
            pads[a] = upper ? all / 2 : all - (all / 2);
            pads[Axes + a] = all - pads[a];
        }

        return this with { Pads = pads };
    }

    /// <summary>How many elements the kernel reaches over.</summary>
    private long Extent(int axis) => ((Kernel[axis] - 1) * Dilations[axis]) + 1;
}
