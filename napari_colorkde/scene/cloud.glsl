// What the cloud adds to vispy's volume shader: from a density to an opacity, from a place to a colour.

// Texture coordinates run over whole voxels; the grid's points are the voxels' centres. The box that
// is drawn reaches from the first grid point to the last.
uniform vec3 u_box_low;           // the drawn part of the grid, in voxels: where anything can show
uniform vec3 u_box_high;
uniform vec3 u_voxel_size;        // scene length of one voxel along the texture's x, y and z

uniform float u_jitter;           // 0 regular samples .. 1 shifted by up to half a step
uniform int u_scale;              // 0 linear, 1 logarithmic, 2 equalised
uniform float u_exposure;         // optical depth per unit of f and of scene length
uniform float u_gain;             // brings densities to a scale on which 1 is typical
uniform float u_floor;            // densities below are not shown
uniform vec2 u_rank_range;        // natural logs of the densities at both ends of u_rank
uniform sampler2D u_rank;         // equalised f over the log of the density, 256 × 1
uniform int u_own_color;          // 1: the place is the colour (RGB); 0: u_color knows it
uniform sampler3D u_color;        // colours of a coarse grid over the box
uniform float u_color_points;     // grid points of u_color along an edge

// f(density): what the eye is to see grow. Same length scale in all three kinds.
float visible_density(float density)
{
    if (density <= u_floor)
        return 0.0;
    float relative = density * u_gain;
    if (u_scale == 0)
        return relative;
    if (u_scale == 1)
        return log(1.0 + relative);
    float rank = (log(density) - u_rank_range.x) / (u_rank_range.y - u_rank_range.x);
    // The ends of the table lie in the middle of its first and last texel.
    return texture2D(u_rank, vec2((clamp(rank, 0.0, 1.0) * 255.0 + 0.5) / 256.0, 0.5)).r;
}

// Beer–Lambert: what a stretch of the ray hides. Depends on its length, not on how it is cut.
float opacity(float density, float stretch)
{
    return 1.0 - exp(-u_exposure * visible_density(density) * stretch);
}

// The colour that a place in the texture stands for; points = grid points along x, y, z.
vec3 color_at(vec3 loc, vec3 points)
{
    // From texture coordinates to 0..1 between the first and the last grid point.
    vec3 place = clamp((loc * points - 0.5) / (points - 1.0), 0.0, 1.0);
    if (u_own_color == 1)
        return place.zyx;         // the texture's x is the last channel
    return texture3D(u_color, (place * (u_color_points - 1.0) + 0.5) / u_color_points).rgb;
}
