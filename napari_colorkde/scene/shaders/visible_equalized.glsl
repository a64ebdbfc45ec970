// f of the equalized scale: the share of the pixels that have a sparser color, read off a curve over
// the logarithm of the density between the logarithms $low and $high.
float visible_equalized(float density)
{
    float along = clamp((log(max(density, 1e-37)) - $low) / ($high - $low), 0.0, 1.0);
    // The curve's ends are the middles of its first and last texel, of $points.
    return texture2D($rank, vec2((along * ($points - 1.0) + 0.5) / $points, 0.5)).r;
}
