using SamCompress.IR;

namespace SamCompress.Passes.Differentiation.Rules;

/// <summary>How Resize weighs the elements of one axis: the ONNX operator specification, modes nearest, linear and cubic.</summary>
/// <remarks>
/// Guards: coordinates half_pixel, pytorch_half_pixel, align_corners or asymmetric; no antialiasing; the sizes are stretched to; constant scales, for each axis
/// in order (no axes attribute).
/// </remarks>
internal sealed class ResizeWeights
{
    private readonly GradientScope _scope;
    private readonly long _from;
    private readonly long _to;
    private readonly double _scale;
    private readonly string _mode;
    private readonly string _coordinates;
    private readonly string _nearest;
    private readonly double _cubic;
    private readonly bool _excludesOutside;

    public ResizeWeights(GradientScope scope, long from, long to, double? scale)
    {
        _scope = scope;
        (_from, _to) = (from, to);
        _scale = scale ?? (double)to / from;
        _mode = scope.Node.GetString("mode", "nearest");
        _coordinates = scope.Node.GetString("coordinate_transformation_mode", "half_pixel");
        _nearest = scope.Node.GetString("nearest_mode", "round_prefer_floor");
        _cubic = scope.Node.GetFloat("cubic_coeff_a", -0.75f);
        _excludesOutside = scope.Node.GetInt("exclude_outside", 0) != 0;
        if (_mode is not ("nearest" or "linear" or "cubic"))
            throw scope.Refuse($"mode {_mode}");
        if (_coordinates is not ("half_pixel" or "pytorch_half_pixel" or "align_corners" or "asymmetric"))
            throw scope.Refuse($"coordinates {_coordinates}");
        if (scope.Node.GetInt("antialias", 0) != 0)
            throw scope.Refuse("it smooths against aliases");
        if (scope.Node.GetString("keep_aspect_ratio_policy", "stretch") != "stretch")
            throw scope.Refuse("it keeps the aspect ratio");
        if (scope.Node.Attribute("axes") is not null)
            throw scope.Refuse("it names axes");
    }

    /// <summary>The scales of all axes, or null where sizes are given.</summary>
    public static double[]? Scales(GradientScope scope, int rank)
    {
        if (scope.Node.Input(2) is not { } value || value.Shape?.ElementCount == 0)
            return null;
        if (value.Constant is not { ElementType: ElementType.Float } constant || constant.Count != rank)
            throw scope.Refuse("its scales are not constant");
        return Array.ConvertAll(constant.ToArray<float>(), s => (double)s);
    }

    /// <summary>[output, input], or the other way round.</summary>
    public Value Matrix(bool transposed) => ConstantMatrix.Of(_scope, transposed ? [_from, _to] : [_to, _from], elements =>
    {
        for (long i = 0; i < _to; i++)
        {
            foreach ((long source, double weight) in Row(i))
                elements[transposed ? (source * _to) + i : (i * _from) + source] += weight;
        }
    }, _scope.OutputGradient);

    private IEnumerable<(long Source, double Weight)> Row(long output)
    {
        double x = Coordinate(output);
        if (_mode == "nearest")
            return [(Clamp(Nearest(x)), 1)];
        if (_mode == "linear")
        {
            x = Math.Clamp(x, 0, _from - 1);
            long below = (long)Math.Floor(x);
            return [(below, 1 - (x - below)), (Clamp(below + 1), x - below)];
        }

        long first = (long)Math.Floor(x) - 1;
        (long Source, double Weight)[] row = [.. Enumerable.Range(0, 4).Select(i => (first + i, Cubic(Math.Abs(x - first - i))))];
        if (!_excludesOutside)
            return row.Select(r => (Clamp(r.Source), r.Weight));
        row = [.. row.Where(r => r.Source >= 0 && r.Source < _from)];
        double sum = row.Sum(r => r.Weight);
        return row.Select(r => (r.Source, r.Weight / sum));
    }

    private double Coordinate(long output) => _coordinates switch
    {
        "asymmetric" => output / _scale,
        "align_corners" => _to == 1 ? 0 : output * (double)(_from - 1) / (_to - 1),
        "pytorch_half_pixel" when _to == 1 => 0,
        _ => ((output + 0.5) / _scale) - 0.5,
    };

    private long Nearest(double x) => (long)(_nearest switch
    {
        "floor" => Math.Floor(x),
        "ceil" => Math.Ceiling(x),
        "round_prefer_ceil" => Math.Floor(x + 0.5),
        _ => Math.Ceiling(x - 0.5),
    });

    private double Cubic(double distance) => distance switch
    {
        <= 1 => ((((_cubic + 2) * distance) - (_cubic + 3)) * distance * distance) + 1,
        < 2 => (((((distance - 5) * distance) + 8) * distance) - 4) * _cubic,
        _ => 0,
    };

    private long Clamp(long source) => Math.Clamp(source, 0, _from - 1);
}
