// Other color spaces: read off a coarse grid of colors over the box, $points along an edge.
vec3 color_grid(vec3 place, float value)
{
    return texture3D($colors, (place * ($points - 1.0) + 0.5) / $points).rgb;
}
