namespace SamCompress.Testing.Reference;

/// <summary>Resize by nearest, linear and cubic interpolation, one axis after the other, as the pseudo code of the operator's specification has it.</summary>
internal static class ResizeReference
{
    public static ReferenceTensor Resize(ReferenceCall call)
    {
        ReferenceTensor x = call[0];
        if (call.Node.GetInt("antialias", 0) != 0 || call.Node.Attribute("axes") is not null || call.Node.GetString("keep_aspect_ratio_policy", "stretch") != "stretch")
            throw call.Unsupported("a form of later versions");
        double[]? scales = call.Optional(2) is { Data.Length: > 0 } given ? given.Data : null;
        for (int axis = 0; axis < call[0].Rank; axis++)
        {
            int size = scales is null ? call.Ints(3)![axis] : (int)Math.Floor(call[0].Shape[axis] * scales[axis]);
            double scale = scales?[axis] ?? (double)size / call[0].Shape[axis];
            if (scale != 1)
                x = Along(call, x, axis, size, scale);
        }

        return x;
    }

    private static ReferenceTensor Along(ReferenceCall call, ReferenceTensor x, int axis, int size, double scale)
    {
        int from = x.Shape[axis], inner = ReferenceTensor.CountOf(x.Shape[(axis + 1)..]), outer = ReferenceTensor.CountOf(x.Shape[..axis]);
        double[] data = new double[outer * size * inner];
        for (int i = 0; i < size; i++)
        {
            foreach ((int neighbour, double weight) in Neighbours(call, Original(call, i, from, size, scale), from))
            {
                for (int n = 0; n < outer; n++)
                {
                    for (int k = 0; k < inner; k++)
                        data[(((n * size) + i) * inner) + k] += weight * x.Data[(((n * from) + Math.Clamp(neighbour, 0, from - 1)) * inner) + k];
                }
            }
        }

        return x with { Shape = [.. x.Shape.Select((d, i) => i == axis ? size : d)], Data = data };
    }

    private static double Original(ReferenceCall call, int i, int from, int size, double scale) => call.Node.GetString("coordinate_transformation_mode", "half_pixel") switch
    {
        "half_pixel" => ((i + 0.5) / scale) - 0.5,
        "pytorch_half_pixel" => size > 1 ? ((i + 0.5) / scale) - 0.5 : 0,
        "align_corners" => size > 1 ? i * (from - 1.0) / (size - 1.0) : 0,
        "asymmetric" => i / scale,
        var other => throw call.Unsupported(other),
    };

    private static (int Neighbour, double Weight)[] Neighbours(ReferenceCall call, double x, int from)
    {
        double ratio = x - Math.Floor(x);
        int below = (int)Math.Floor(x);
        switch (call.Node.GetString("mode", "nearest"))
        {
            case "nearest":
                bool up = call.Node.GetString("nearest_mode", "round_prefer_floor") switch { "floor" => false, "ceil" => ratio > 0, "round_prefer_floor" => ratio > 0.5, _ => ratio >= 0.5 };
                return [(up ? below + 1 : below, 1)];
            case "linear":
                return [(below, 1 - ratio), (below + 1, ratio)];
            default:
                double a = call.Node.GetFloat("cubic_coeff_a", -0.75f), far = 1 - ratio;
                (int Neighbour, double Weight)[] four =
                [
                    (below - 1, (((((a * (ratio + 1)) - (5 * a)) * (ratio + 1)) + (8 * a)) * (ratio + 1)) - (4 * a)),
                    (below, (((((a + 2) * ratio) - (a + 3)) * ratio) * ratio) + 1),
                    (below + 1, (((((a + 2) * far) - (a + 3)) * far) * far) + 1),
                    (below + 2, (((((a * (far + 1)) - (5 * a)) * (far + 1)) + (8 * a)) * (far + 1)) - (4 * a)),
                ];
                if (call.Node.GetInt("exclude_outside", 0) == 0)
                    return four;
                double sum = four.Where(f => f.Neighbour >= 0 && f.Neighbour < from).Sum(f => f.Weight);
                return [.. four.Where(f => f.Neighbour >= 0 && f.Neighbour < from).Select(f => (f.Neighbour, f.Weight / sum))];
        }
    }
}
