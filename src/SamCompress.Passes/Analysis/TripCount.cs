using SamCompress.IR;

namespace SamCompress.Passes.Analysis;

/// <summary>How often the body of a control flow node runs.</summary>
internal static class TripCount
{
    /// <summary>
    /// The length of the axis that a Scan goes along, the number of trips that a Loop is given (its condition may end it earlier),
    /// 1 for the branches of an If; null where it is not known before the run.
    /// </summary>
    public static long? Of(Node node) => node.OpType switch
    {
        "Scan" => Scanned(node),
        "Loop" => node.Input(0) is { } trips ? Scalar(trips) : null,
        _ => 1,
    };

    /// <summary>How many inputs of a Scan are carried from trip to trip; the others are cut into slices.</summary>
    public static int CarriedByScan(Node scan) => (int)Math.Clamp(scan.Inputs.Count - scan.GetInt("num_scan_inputs", 0), 0, scan.Inputs.Count);

    private static long? Scanned(Node scan)
    {
        if (scan.Input(CarriedByScan(scan))?.Shape is not { } shape)
            return null;
        long axis = scan.GetInts("scan_input_axes") is [var first, ..] ? first : 0;
        axis += axis < 0 ? shape.Rank : 0;
        return axis >= 0 && axis < shape.Rank ? shape[(int)axis].Value : null;
    }

    private static long? Scalar(Value value)
    {
        Tensor? tensor = value.Constant ?? (value.Producer is { OpType: "Constant" } constant && constant.Attribute("value") is { Tensors: [var one] } ? one : null);
        return tensor is { ElementType: ElementType.Int64, Count: 1 } ? tensor.ToInt64s()[0] : null;
    }
}
